package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;

/** A small graph whose gradients are checked: inputs that vary, inputs that do not, and outputs. */
final class GradientCase {
    /** Sizes of the symbols that cases use; all different, none 1, so that no two axes can be mistaken for each other. */
    static final Map<String, Long> SIZES = Map.of("B", 2L, "T", 5L, "N", 7L, "M", 6L);

    private final Graph graph = new Graph("case");
    private final Map<Value, HostTensor> variables = new LinkedHashMap<>();
    private final Map<Value, HostTensor> fixed = new LinkedHashMap<>();
    private final Random random;
    private final List<Value> outputs;

    private GradientCase(Function<GradientCase, List<Value>> build, long seed) {
        this.random = new Random(seed);
        this.outputs = build.apply(this);
    }

    /** Builds the case; the same seed gives the same values. */
    static GradientCase build(Function<GradientCase, List<Value>> build, long seed) {
        return new GradientCase(build, seed);
    }

    Graph graph() {
        return graph;
    }

    Operators operators() {
        return Operators.on(graph);
    }

    Map<Value, HostTensor> variables() {
        return variables;
    }

    List<Value> outputs() {
        return outputs;
    }

    /** The values of all inputs by name. */
    Map<String, HostTensor> feeds() {
        Map<String, HostTensor> feeds = new LinkedHashMap<>();
        variables.forEach((value, tensor) -> feeds.put(value.name(), tensor));
        fixed.forEach((value, tensor) -> feeds.put(value.name(), tensor));
        return feeds;
    }

    /** An input whose gradient is checked, with values in [-1, 1]. */
    Value variable(String name, Object... dimensions) {
        return variableIn(-1, 1, name, dimensions);
    }

    /** An input whose gradient is checked, with values in [low, high]. */
    Value variableIn(float low, float high, String name, Object... dimensions) {
        Value value = graph.input(name, TensorType.of(ElementType.FLOAT, dimensions));
        variables.put(value, uniform(low, high, value.type()));
        return value;
    }

    /** An input that does not vary, with values in [-1, 1]. */
    Value constant(String name, Object... dimensions) {
        Value value = graph.input(name, TensorType.of(ElementType.FLOAT, dimensions));
        fixed.put(value, uniform(-1, 1, value.type()));
        return value;
    }

    /** An input of whole numbers in [0, limit). */
    Value indices(String name, int limit, Object... dimensions) {
        TensorType type = TensorType.of(ElementType.INT64, dimensions);
        long[] sizes = sizes(type);
        long[] values = random.longs(product(sizes), 0, limit).toArray();
        Value value = graph.input(name, type);
        fixed.put(value, HostTensor.ofLongs(values, sizes));
        return value;
    }

    /** An input with these values. */
    Value given(String name, TensorType type, HostTensor tensor) {
        Value value = graph.input(name, type);
        fixed.put(value, tensor);
        return value;
    }

    /** A node with one output. */
    Value apply(Operator operator, Attributes attributes, Value... inputs) {
        return operators().add(operator, attributes, inputs);
    }

    private HostTensor uniform(float low, float high, TensorType type) {
        long[] sizes = sizes(type);
        float[] values = new float[(int) product(sizes)];
        for (int i = 0; i < values.length; i++) {
            values[i] = low + (high - low) * random.nextFloat();
        }
        return HostTensor.ofFloats(values, sizes);
    }

    static long[] sizes(TensorType type) {
        return type.dimensions().stream().mapToLong(GradientCase::size).toArray();
    }

    private static long size(Dimension dimension) {
        return dimension.symbols().stream().mapToLong(SIZES::get).reduce(dimension.factor(), (a, b) -> a * b);
    }

    private static long product(long[] sizes) {
        return Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    }

    static List<Value> outputs(Value... values) {
        return new ArrayList<>(Arrays.asList(values));
    }
}
