package dev.holdfast.train;

import dev.holdfast.artifact.OptimizerGraph;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.testing.OtherFiles;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.PendingTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Artifacts of y = x·W + b with the loss Σ (y − target)², gradients 2·xᵀ·(y − target) and 2·Σ (y − target), and a gradient port. */
final class LinearRegression {
    static final int INPUTS = 7;
    static final int OUTPUTS = 5;
    static final int ROWS = 4;
    static final List<GradientPort.Parameter> PARAMETERS = List.of(
            new GradientPort.Parameter("weight", Shape.of(INPUTS, OUTPUTS)),
            new GradientPort.Parameter("bias", Shape.of(OUTPUTS)));

    private LinearRegression() {}

    /** Writes checkpoint, training model and optimizer model; returns them without the optimizer if that is not wanted. */
    static TrainingFiles write(Path directory, Optional<OptimizerGraph> optimizer) {
        ModelFile.write(trainingGraph(), directory.resolve("training_model.onnx"));
        optimizer.ifPresent(graph -> ModelFile.write(graph.graph(), directory.resolve("optimizer_model.onnx")));
        CheckpointWriter writer = new CheckpointWriter();
        PARAMETERS.forEach(
                parameter -> writer.trainable(PendingTensor.of(parameter.name(), random(17, parameter.shape()))));
        writer.write(directory.resolve("checkpoint"));
        return OtherFiles.trainingAlone(directory, optimizer.isPresent());
    }

    static TrainingSession open(TrainingFiles files) {
        return TrainingSession.open(
                files,
                SessionSettings.defaults()
                        .withOperatorLibrary(NativeLibrary.load().operatorLibrary()));
    }

    private static Graph trainingGraph() {
        Graph graph = new Graph("training");
        Operators operators = Operators.on(graph);
        Value x = graph.input("x", TensorType.of(ElementType.FLOAT, ROWS, INPUTS));
        Value target = graph.input("target", TensorType.of(ElementType.FLOAT, ROWS, OUTPUTS));
        Value weight = graph.input("weight", TensorType.of(ElementType.FLOAT, INPUTS, OUTPUTS));
        Value bias = graph.input("bias", TensorType.of(ElementType.FLOAT, OUTPUTS));
        Value product = operators.add(Operator.MAT_MUL, Attributes.NONE, x, weight);
        Value difference = operators.sub(operators.add(product, bias), target);
        Value loss = operators.reduceSum(operators.mul(difference, difference), false, 0, 1);
        Value doubled = operators.add(difference, difference);
        Value weightGradient = operators.add(Operator.FUSED_MAT_MUL, Attributes.of("transA", 1), x, doubled);
        Value biasGradient = operators.reduceSum(doubled, false, 0);
        graph.output(loss);
        addPort(graph, List.of(weight, bias), List.of(weightGradient, biasGradient));
        return graph;
    }

    private static void addPort(Graph graph, List<Value> parameters, List<Value> gradients) {
        List<Value> inputs = new ArrayList<>();
        List<Value> buffers = new ArrayList<>();
        parameters.forEach(parameter ->
                buffers.add(graph.input(parameter.name() + "_grad.accumulation.buffer", parameter.type())));
        Value reset = graph.input("lazy_reset_grad", TensorType.of(ElementType.BOOL, 1));
        for (int i = 0; i < parameters.size(); i++) {
            String name = parameters.get(i).name();
            Value gradient = graph.add(
                            Operator.IDENTITY, List.of(gradients.get(i)), Attributes.NONE, List.of(name + "_grad"))
                    .output();
            Value updated = graph.add(
                            Operator.IN_PLACE_ACCUMULATOR,
                            List.of(buffers.get(i), gradient, reset),
                            Attributes.NONE,
                            List.of(name + "_grad.accumulation.out"))
                    .output();
            graph.output(updated);
            inputs.addAll(List.of(parameters.get(i), buffers.get(i), updated));
        }
        graph.output(graph.add(Operator.GRADIENT_PORT, inputs, Attributes.NONE, List.of("addresses"))
                .output());
    }

    /** A batch that the seed decides. */
    static Map<String, HostTensor> batch(long seed) {
        return Map.of(
                "x", random(seed, Shape.of(ROWS, INPUTS)), "target", random(seed + 1000, Shape.of(ROWS, OUTPUTS)));
    }

    static GradientPort port(StepResult result) {
        return GradientPort.of(result.output("addresses"), PARAMETERS);
    }

    private static HostTensor random(long seed, Shape shape) {
        Random random = new Random(seed);
        HostTensor tensor = HostTensor.allocate(ElementType.FLOAT, shape);
        for (int i = 0; i < tensor.elementCount(); i++) {
            tensor.floats().put(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    /** The gradients of a batch by hand, in double: weight, then bias. */
    static double[][] gradients(Map<String, HostTensor> batch, HostTensor weight, HostTensor bias) {
        double[][] gradients = {new double[INPUTS * OUTPUTS], new double[OUTPUTS]};
        for (int row = 0; row < ROWS; row++) {
            for (int out = 0; out < OUTPUTS; out++) {
                double y = bias.floats().get(out);
                for (int in = 0; in < INPUTS; in++) {
                    y += (double) batch.get("x").floats().get(row * INPUTS + in)
                            * weight.floats().get(in * OUTPUTS + out);
                }
                double doubled = 2 * (y - batch.get("target").floats().get(row * OUTPUTS + out));
                gradients[1][out] += doubled;
                for (int in = 0; in < INPUTS; in++) {
                    gradients[0][in * OUTPUTS + out] += batch.get("x").floats().get(row * INPUTS + in) * doubled;
                }
            }
        }
        return gradients;
    }
}
