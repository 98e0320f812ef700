package dev.holdfast.artifact;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.onnx.ValueType.SequenceOfTensors;
import dev.holdfast.tensor.ElementType;
import java.util.Arrays;
import java.util.List;

/**
 * The optimizer as ONNX Runtime's training API expects it: AdamW over sequences of parameters, gradients and moments.
 *
 * <p>θ ← θ − η·(m̂ / (√v̂ + ε) + λ·θ), with decay taken from θ before the update. Source: Loshchilov and Hutter, "Decoupled Weight Decay
 * Regularization" (arXiv 1711.05101), algorithm 2.
 *
 * @param beta1 decay of the first moment, in [0, 1)
 * @param beta2 decay of the second moment, in [0, 1)
 * @param epsilon added to the root of the second moment, positive
 * @param weightDecay λ, at least 0
 * @param maximumGradientNorm the gradients of all parameters together are scaled down to this Euclidean norm; 0 leaves them
 */
public record OptimizerGraph(float beta1, float beta2, float epsilon, float weightDecay, float maximumGradientNorm) {
    /** The settings of an artifact as it is exported. */
    public static final OptimizerGraph DEFAULT = new OptimizerGraph(0.9f, 0.999f, 1e-8f, 0f, 1f);

    /** The graph. */
    public Graph graph() {
        Graph graph = new Graph("optimizer");
        Value learningRate = graph.input("learning_rate", TensorType.of(ElementType.FLOAT, 1));
        Value step = graph.input("step", TensorType.of(ElementType.INT64, 1));
        Value parameters = sequence(graph, "params");
        Value gradients = clipped(graph, sequence(graph, "gradients"));
        List<Value> inputs = Arrays.asList(
                learningRate,
                step,
                parameters,
                gradients,
                sequence(graph, "first_order_moments"),
                sequence(graph, "second_order_moments"));
        graph.output(graph.add(Operator.ADAMW_OPTIMIZER, inputs, attributes(), List.of("updated_flag"))
                .output());
        return graph;
    }

    private static Value sequence(Graph graph, String name) {
        return graph.input(name, new SequenceOfTensors(ElementType.FLOAT));
    }

    private Value clipped(Graph graph, Value gradients) {
        if (maximumGradientNorm == 0) {
            return gradients;
        }
        return Operators.on(graph)
                .add(Operator.INPLACE_CLIP_GRAD_NORM, Attributes.of("max_norm", maximumGradientNorm), gradients);
    }

    private Attributes attributes() {
        return Attributes.of(
                "alpha", beta1,
                "beta", beta2,
                "epsilon", epsilon,
                "weight_decay", weightDecay,
                "adam_mode", 0,
                "correct_bias", 1);
    }
}
