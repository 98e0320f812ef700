package dev.holdfast.gradient;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Compares the gradients of a case with differences of its forward pass, both run by ONNX Runtime.
 *
 * <p>The loss is l = Σ output·weight over all outputs with random weights in [-1, 1], summed in double. Differences are of fourth
 * order, (8·(l(h) - l(-h)) - (l(2h) - l(-2h))) / 12h, with h = 2⁻⁵: the truncation error, h⁴/30·l⁽⁵⁾ ≈ 3e-8·l⁽⁵⁾, is below that of
 * rounding, about 1.5·√n·2⁻²⁴/h ≈ 3e-6·√n for n outputs of size 1 that depend on the input. Averaged over the elements of a tensor,
 * relative to gradients of size 1, that is at most a few 1e-5, and {@link #TOLERANCE} leaves a margin of ten for steep functions;
 * a wrong factor, axis or sign is an error of 0.1 to 2.
 */
final class GradientCheck {
    private static final double STEP = 1.0 / 32;
    private static final double TOLERANCE = 3e-4;
    private static final int SAMPLED_ELEMENTS = 16;

    private final Function<GradientCase, List<Value>> build;
    private final long seed;
    private final SessionSettings settings;

    GradientCheck(Function<GradientCase, List<Value>> build, long seed, SessionSettings settings) {
        this.build = build;
        this.seed = seed;
        this.settings = settings;
    }

    /**
     * Checks every variable.
     *
     * @param pending whether the loss also depends on each variable directly, so that rules find a gradient that is already there
     */
    void check(Kernels operators, boolean pending) {
        GradientCase forward = GradientCase.build(build, seed);
        forward.outputs().forEach(forward.graph()::output);
        try (InferenceSession session = open(forward.graph())) {
            List<String> outputs = forward.outputs().stream().map(Value::name).toList();
            Map<String, HostTensor> weights = randomLike(session.run(forward.feeds(), outputs));
            Loss loss = new Loss(session, forward.feeds(), weights);
            Map<String, HostTensor> direct = pending ? randomLike(byName(forward.variables())) : Map.of();
            Map<String, HostTensor> gradients = gradients(operators, weights, direct);
            gradients.forEach((name, gradient) -> {
                assertThat(gradient.shape())
                        .as("shape of the gradient of %s", name)
                        .isEqualTo(loss.feeds.get(name).shape());
                compare(name, gradient.toFloatArray(), loss, direct.get(name));
            });
        }
    }

    private InferenceSession open(Graph graph) {
        return InferenceSession.open(graph.name(), ModelFile.toBytes(graph), Path.of("."), settings);
    }

    private static Map<String, HostTensor> byName(Map<Value, HostTensor> values) {
        Map<String, HostTensor> named = new LinkedHashMap<>();
        values.forEach((value, tensor) -> named.put(value.name(), tensor));
        return named;
    }

    private Map<String, HostTensor> randomLike(Map<String, HostTensor> tensors) {
        Random random = new Random(seed + 1);
        Map<String, HostTensor> weights = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            HostTensor weight = HostTensor.allocate(ElementType.FLOAT, tensor.shape());
            FloatBuffer values = weight.floats();
            while (values.hasRemaining()) {
                values.put(random.nextFloat() * 2 - 1);
            }
            weights.put(name, weight);
        });
        return weights;
    }

    private Map<String, HostTensor> gradients(
            Kernels operators, Map<String, HostTensor> weights, Map<String, HostTensor> direct) {
        GradientCase backward = GradientCase.build(build, seed);
        Graph graph = backward.graph();
        Map<String, HostTensor> feeds = backward.feeds();
        Map<Value, Value> seeds = new LinkedHashMap<>();
        weights.forEach((name, weight) -> seeds.put(graph.value(name), seedInput(graph, name, weight, feeds)));
        direct.forEach((name, weight) -> seeds.put(graph.value(name), seedInput(graph, name, weight, feeds)));
        Map<Value, Value> gradients =
                Gradients.append(graph, seeds, backward.variables().keySet(), operators);
        assertThat(gradients.keySet())
                .containsExactlyInAnyOrderElementsOf(backward.variables().keySet());
        Map<String, String> names = new LinkedHashMap<>();
        gradients.forEach((value, gradient) -> {
            Value output = Operators.on(graph).add(Operator.IDENTITY, Attributes.NONE, gradient);
            graph.output(output);
            names.put(value.name(), output.name());
        });
        try (InferenceSession session = open(graph)) {
            Map<String, HostTensor> results = session.run(feeds, names.values());
            Map<String, HostTensor> named = new LinkedHashMap<>();
            names.forEach((variable, output) -> named.put(variable, results.get(output)));
            return named;
        }
    }

    private static Value seedInput(Graph graph, String name, HostTensor weight, Map<String, HostTensor> feeds) {
        TensorType type = graph.value(name).type();
        Value input = graph.input("seed of " + name, type);
        feeds.put(input.name(), weight);
        return input;
    }

    private void compare(String name, float[] analytic, Loss loss, HostTensor direct) {
        int[] elements = new Random(seed + 2)
                .ints(0, analytic.length)
                .distinct()
                .limit(Math.min(SAMPLED_ELEMENTS, analytic.length))
                .toArray();
        double squaredError = 0;
        double squaredNorm = 0;
        StringBuilder worst = new StringBuilder();
        double worstError = -1;
        for (int element : elements) {
            double numeric = loss.difference(name, element)
                    + (direct == null ? 0 : direct.floats().get(element));
            double error = Math.abs(numeric - analytic[element]);
            squaredError += error * error;
            squaredNorm += numeric * numeric;
            if (error > worstError) {
                worstError = error;
                worst.setLength(0);
                worst.append("element ")
                        .append(element)
                        .append(": ")
                        .append(analytic[element])
                        .append(", by differences ")
                        .append(numeric);
            }
        }
        double scale = Math.max(Math.sqrt(squaredNorm), 1e-2 * Math.sqrt(elements.length));
        assertThat(Math.sqrt(squaredError) / scale)
                .as("relative error of the gradient of %s; %s", name, worst)
                .isLessThan(TOLERANCE);
    }

    /** The loss as a function of one element of one input. */
    private record Loss(InferenceSession session, Map<String, HostTensor> feeds, Map<String, HostTensor> weights) {
        double difference(String input, int element) {
            double near = at(input, element, STEP) - at(input, element, -STEP);
            double far = at(input, element, 2 * STEP) - at(input, element, -2 * STEP);
            return (8 * near - far) / (12 * STEP);
        }

        private double at(String input, int element, double change) {
            FloatBuffer values = feeds.get(input).floats();
            float original = values.get(element);
            values.put(element, (float) (original + change));
            Map<String, HostTensor> outputs = session.run(feeds, weights.keySet());
            values.put(element, original);
            return weights.entrySet().stream()
                    .mapToDouble(entry -> dot(entry.getValue(), outputs.get(entry.getKey())))
                    .sum();
        }

        private static double dot(HostTensor weight, HostTensor output) {
            FloatBuffer left = weight.floats();
            FloatBuffer right = output.floats();
            return IntStream.range(0, weight.elementCount())
                    .mapToDouble(i -> (double) left.get(i) * right.get(i))
                    .sum();
        }
    }
}
