package dev.holdfast.exporter;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.gradient.GradientBuffer;
import dev.holdfast.gradient.Gradients;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.DecoderWeights;
import dev.holdfast.model.FullSequence;
import dev.holdfast.model.FusedSequence;
import dev.holdfast.model.LowRankBranch;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.model.Parameter;
import dev.holdfast.model.Sequence;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Builds the graphs that ONNX Runtime's training API runs: the model up to the logits of the response tokens, the loss, and, for
 * training, the backward pass with one gradient accumulator per parameter that is trained. The others are external data beside the graph.
 *
 * <p>The loss operator gives the gradient of the logits beside the loss, and the backward pass starts from it. The head is applied to
 * response positions alone.
 */
final class TrainingGraph {

    private final ExportedModel model;
    private final Function<String, StoredWeight> frozen;
    private final TrainingForm form;
    private final Kernels kernels;
    private final Graph graph;
    private final Operators operators;
    private final Map<String, Value> trained = new LinkedHashMap<>();

    private TrainingGraph(
            String name,
            ExportedModel model,
            Function<String, StoredWeight> frozen,
            TrainingForm form,
            Kernels kernels) {
        this.model = model;
        this.frozen = frozen;
        this.form = form;
        this.kernels = kernels;
        this.graph = new Graph(name);
        this.operators = Operators.on(graph, kernels);
    }

    /**
     * The graph with its backward pass.
     *
     * @param frozen where the parameters lie that are not trained
     */
    static Graph training(
            ExportedModel model, Function<String, StoredWeight> frozen, TrainingForm form, Kernels kernels) {
        return new TrainingGraph("training", model, frozen, form, kernels).withBackwardPass();
    }

    /** The same forward pass and loss alone, nothing left out by dropout. */
    static Graph evaluation(
            ExportedModel model, Function<String, StoredWeight> frozen, TrainingForm form, Kernels kernels) {
        return new TrainingGraph("evaluation", model, frozen, form, kernels).forwardOnly();
    }

    private Graph withBackwardPass() {
        addInputs();
        Optional<Value> dropoutKey = model.hasDropout()
                ? Optional.of(graph.input(GraphNames.DROPOUT_KEY, TensorType.of(ElementType.INT64, 3)))
                : Optional.empty();
        Value logits = studentLogits(dropoutKey);
        Node loss = loss(logits, true);
        Map<Value, GradientBuffer> buffers = addBuffers();
        addPort(Gradients.append(
                graph,
                Map.of(logits, loss.output(1)),
                trained.values(),
                kernels,
                kernels == Kernels.HOLDFAST ? buffers : Map.of()));
        return graph;
    }

    private Graph forwardOnly() {
        addInputs();
        loss(studentLogits(Optional.empty()), false);
        return graph;
    }

    private void addInputs() {
        ModelConfig config = model.decoder().config();
        graph.input(GraphNames.INPUT_IDS, TensorType.of(ElementType.INT64, "B", "T"));
        graph.input(GraphNames.RESPONSE_POSITIONS, TensorType.of(ElementType.INT64, "N"));
        graph.input(GraphNames.LABELS, TensorType.of(ElementType.INT64, "N"));
        graph.input(GraphNames.WEIGHTS, TensorType.of(ElementType.FLOAT, "N"));
        graph.input(GraphNames.LOSS_COEFFICIENTS, TensorType.of(ElementType.FLOAT, 4));
        graph.input(GraphNames.LOSS_MODES, TensorType.of(ElementType.INT64, 3));
        if (form.hasReference()) {
            graph.input(GraphNames.ALPHAS, TensorType.of(ElementType.FLOAT, "N"));
        }
        if (form.hasSnapshot()) {
            graph.input(GraphNames.SNAPSHOT_HIDDEN, TensorType.of(ElementType.FLOAT, "N", config.hiddenSize()));
            graph.input(
                    GraphNames.SNAPSHOT_HEAD,
                    TensorType.of(ElementType.FLOAT, model.decoder().headShape()));
        }
        if (form.hasReference()) {
            graph.input(GraphNames.REFERENCE_HIDDEN, TensorType.of(ElementType.FLOAT, "N", "R"));
            graph.input(GraphNames.REFERENCE_HEAD, TensorType.of(ElementType.FLOAT, "U", "R"));
        }
        for (Parameter parameter : model.trained()) {
            trained.put(
                    parameter.name(),
                    graph.input(parameter.name(), TensorType.of(ElementType.FLOAT, parameter.shape())));
        }
        model.frozen().forEach(parameter -> frozen.apply(parameter.name()).addTo(graph, parameter));
    }

    private Value studentLogits(Optional<Value> dropoutKey) {
        Decoder decoder = model.decoder();
        Value inputIds = graph.value(GraphNames.INPUT_IDS);
        Sequence sequence = kernels == Kernels.HOLDFAST
                ? new FusedSequence(operators, decoder.config(), inputIds)
                : new FullSequence(operators, decoder.config(), inputIds);
        Value hidden = decoder.hiddenStates(operators, weights(dropoutKey), sequence);
        Value responses = operators.gather(hidden, graph.value(GraphNames.RESPONSE_POSITIONS), 0);
        return Decoder.logits(operators.in("head"), responses, graph.value(decoder.headName()));
    }

    private DecoderWeights weights(Optional<Value> dropoutKey) {
        return model.adapters()
                .map(adapters -> DecoderWeights.of(graph::value, LowRankBranch.of(adapters, dropoutKey)))
                .orElseGet(() -> DecoderWeights.of(graph::value));
    }

    private Node loss(Value logits, boolean withGradient) {
        Value snapshot =
                form.hasSnapshot() ? logits("snapshot", GraphNames.SNAPSHOT_HIDDEN, GraphNames.SNAPSHOT_HEAD) : null;
        Value reference = form.hasReference()
                ? logits("reference", GraphNames.REFERENCE_HIDDEN, GraphNames.REFERENCE_HEAD)
                : null;
        List<Value> inputs = Arrays.asList(
                logits,
                snapshot,
                reference,
                graph.value(GraphNames.LABELS),
                graph.value(GraphNames.WEIGHTS),
                form.hasReference() ? graph.value(GraphNames.ALPHAS) : null,
                graph.value(GraphNames.LOSS_COEFFICIENTS),
                graph.value(GraphNames.LOSS_MODES));
        List<String> outputs = Arrays.asList(
                GraphNames.LOSS,
                withGradient ? "student_logits.gradient" : null,
                GraphNames.TOKEN_LOSS,
                GraphNames.STATISTICS);
        Node loss = graph.add(Operator.ANCHOR_LOSS, inputs, Attributes.NONE, outputs);
        graph.output(loss.output(0));
        graph.output(loss.output(2));
        graph.output(loss.output(3));
        return loss;
    }

    private Value logits(String scope, String hidden, String head) {
        return Decoder.logits(operators.in(scope), graph.value(hidden), graph.value(head));
    }

    /** One buffer per parameter, with the names that ONNX Runtime looks for. */
    private Map<Value, GradientBuffer> addBuffers() {
        Map<Value, Value> totals = new LinkedHashMap<>();
        trained.values().forEach(parameter -> totals.put(parameter, graph.input(buffer(parameter), parameter.type())));
        Value reset = graph.input(GraphNames.LAZY_RESET_GRAD, TensorType.of(ElementType.BOOL, 1));
        Map<Value, GradientBuffer> buffers = new LinkedHashMap<>();
        totals.forEach((parameter, total) -> buffers.put(parameter, GradientBuffer.of(total, reset)));
        return buffers;
    }

    private static String buffer(Value parameter) {
        return parameter.name() + GraphNames.GRADIENT_BUFFER_SUFFIX;
    }

    /**
     * One port to all parameters and buffers, once the gradients are in them. ONNX Runtime orders its work from the port's last input on:
     * the parameters come in the order of the model, so that the gradients of its last layers, which are complete first, are also stored
     * first and their buffers are free again.
     */
    private void addPort(Map<Value, Value> gradients) {
        List<Value> ports = new ArrayList<>();
        List<Value> flags = new ArrayList<>();
        for (Value parameter : trained.values()) {
            Value done = gradients.get(parameter);
            if (!isAccumulated(done)) {
                done = accumulate(parameter, done);
                flags.add(done);
            }
            ports.addAll(List.of(parameter, graph.value(buffer(parameter)), done));
        }
        graph.output(graph.add(Operator.GRADIENT_PORT, ports, Attributes.NONE, List.of(GraphNames.GRADIENT_PORT))
                .output());
        flags.forEach(graph::output);
    }

    private static boolean isAccumulated(Value gradient) {
        return gradient.producer()
                .flatMap(Node::operator)
                .filter(operator -> operator == Operator.ACCUMULATE_MATRIX_PRODUCT
                        || operator == Operator.ACCUMULATE_EMBEDDING_GRAD)
                .isPresent();
    }

    private Value accumulate(Value parameter, Value gradient) {
        return graph.add(
                        Operator.IN_PLACE_ACCUMULATOR,
                        List.of(graph.value(buffer(parameter)), gradient, graph.value(GraphNames.LAZY_RESET_GRAD)),
                        Attributes.NONE,
                        List.of(parameter.name() + GraphNames.GRADIENT_ADDED_SUFFIX))
                .output();
    }
}
