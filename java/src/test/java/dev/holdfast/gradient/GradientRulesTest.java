package dev.holdfast.gradient;

import static dev.holdfast.gradient.GradientCase.outputs;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every rule against differences of the forward pass, over the shapes that decide which path a rule takes. */
class GradientRulesTest {
    private final Map<String, Function<GradientCase, List<Value>>> cases = new LinkedHashMap<>();

    @TestFactory
    Stream<DynamicTest> everyRuleAgreesWithDifferences() {
        addElementwise();
        addActivations();
        addProducts();
        addNormalizations();
        addReductions();
        addLayouts();
        addGathers();
        addRotary();
        return cases.entrySet().stream().flatMap(entry -> Stream.of(false, true)
                .map(pending -> DynamicTest.dynamicTest(
                        entry.getKey() + (pending ? ", added to a pending gradient" : ""), () -> new GradientCheck(
                                        entry.getValue(),
                                        entry.getKey().hashCode(),
                                        SessionSettings.defaults().withIntraOpThreads(1))
                                .check(Kernels.STOCK, pending))));
    }

    private void one(String name, Function<GradientCase, Value> build) {
        cases.put(name, graph -> outputs(build.apply(graph)));
    }

    private void addElementwise() {
        for (Operator operator : List.of(Operator.ADD, Operator.SUB, Operator.MUL, Operator.DIV)) {
            binary(operator, "equal shapes", dims("B", "T", 3), dims("B", "T", 3));
            binary(operator, "missing leading axes", dims("B", "T", 3), dims(3));
            binary(operator, "missing and unit axes", dims("B", 4, "T", 3), dims(4, 1, 3));
            binary(operator, "unit axis against a symbol", dims(1, "T", 3), dims("B", "T", 3));
            binary(operator, "both stretched", dims("T", 1, 3), dims("B", 1, 4, 1));
            binary(operator, "a scalar", dims(), dims("B", "T"));
            binary(operator, "a one-element vector", dims("B", "T"), dims(1));
        }
        one("Mul of a value with itself", graph -> {
            Value x = graph.variable("x", "B", 3);
            return graph.operators().mul(x, x);
        });
        one("Sub of a constant", graph -> graph.operators()
                .sub(graph.constant("c", "B", 3), graph.variable("x", "B", 3)));
        one("Neg", graph -> graph.operators().neg(graph.variable("x", "B", 3)));
        one("Sin", graph -> graph.apply(Operator.SIN, Attributes.NONE, graph.variable("x", "B", 3)));
        one("Cos", graph -> graph.apply(Operator.COS, Attributes.NONE, graph.variable("x", "B", 3)));
        one("Identity", graph -> graph.apply(Operator.IDENTITY, Attributes.NONE, graph.variable("x", "B", 3)));
        one("Cast to double and back", graph -> {
            Value wide = graph.operators().cast(graph.variable("x", "B", 3), ElementType.DOUBLE);
            return graph.operators().cast(graph.operators().mul(wide, wide), ElementType.FLOAT);
        });
        one("Where with a broadcast condition", graph -> {
            Value condition = condition(graph, graph.constant("c", "T", 3));
            return graph.operators().where(condition, graph.variable("x", "B", "T", 3), graph.variable("y", 3));
        });
        one("Where with a constant branch", graph -> {
            Value condition = condition(graph, graph.constant("c", "T", "T"));
            return graph.operators()
                    .where(
                            condition,
                            graph.variable("x", "B", "T", "T"),
                            graph.operators().floatScalar(-9));
        });
        one("Where with a constant first branch", graph -> {
            Value condition = condition(graph, graph.constant("c", "T", "T"));
            return graph.operators()
                    .where(condition, graph.operators().floatScalar(-9), graph.variable("x", "B", "T", "T"));
        });
    }

    private static Value condition(GradientCase graph, Value value) {
        return graph.apply(
                Operator.LESS_OR_EQUAL,
                Attributes.NONE,
                value,
                graph.operators().floatScalar(0));
    }

    private void binary(Operator operator, String shapes, Object[] left, Object[] right) {
        one(
                operator + ", " + shapes,
                graph -> graph.apply(
                        operator, Attributes.NONE, graph.variable("x", left), graph.variableIn(0.8f, 2, "y", right)));
    }

    private void addActivations() {
        for (String approximation : List.of("none", "tanh")) {
            one(
                    "Gelu, approximate " + approximation,
                    graph -> graph.apply(
                            Operator.GELU,
                            Attributes.of("approximate", approximation),
                            graph.variableIn(-3, 3, "x", "B", "T", 3)));
        }
        one(
                "Gelu without attributes",
                graph -> graph.apply(Operator.GELU, Attributes.NONE, graph.variableIn(-3, 3, "x", "B", 9)));
        one(
                "QuickGelu with its default alpha",
                graph -> graph.apply(Operator.QUICK_GELU, Attributes.NONE, graph.variableIn(-3, 3, "x", "B", 9)));
        one("QuickGelu as SiLU", graph -> graph.operators().silu(graph.variableIn(-3, 3, "x", "B", "T", 3)));
        one("Softmax over the last axis", graph -> graph.operators().softmax(graph.variable("x", "B", "T", 4)));
        one(
                "Softmax without attributes",
                graph -> graph.apply(Operator.SOFTMAX, Attributes.NONE, graph.variable("x", "B", "T", 4)));
        one(
                "Softmax over a middle axis",
                graph -> graph.apply(Operator.SOFTMAX, Attributes.of("axis", 1), graph.variable("x", "B", "T", 4)));
    }

    private void addProducts() {
        one("MatMul of matrices", graph -> graph.operators()
                .matMul(graph.variable("a", "N", 3), graph.variable("b", 3, 4)));
        one("MatMul of rows in batches with a matrix", graph -> graph.operators()
                .matMul(graph.variable("a", "B", "T", 3), graph.variable("b", 3, 4)));
        one("MatMul of batches", graph -> graph.operators()
                .matMul(graph.variable("a", "B", 2, "T", 3), graph.variable("b", "B", 2, 3, "T")));
        one("MatMul of broadcast batches", graph -> graph.operators()
                .matMul(graph.variable("a", "B", 1, "T", 3), graph.variable("b", 4, 3, 2)));
        one("MatMul of a matrix with batches", graph -> graph.operators()
                .matMul(graph.variable("a", 4, 3), graph.variable("b", "B", 3, "T")));
        for (boolean transposeA : List.of(false, true)) {
            for (boolean transposeB : List.of(false, true)) {
                String flags = ", transA " + transposeA + ", transB " + transposeB;
                one("FusedMatMul of batches" + flags, graph -> graph.operators()
                        .fusedMatMul(
                                graph.variable("a", flipped(transposeA, "B", 2, "T", 3)),
                                transposeA,
                                graph.variable("b", flipped(transposeB, "B", 2, 3, 4)),
                                transposeB,
                                0.7f));
                one("FusedMatMul of matrices" + flags, graph -> graph.operators()
                        .fusedMatMul(
                                graph.variable("a", flipped(transposeA, "N", 3)),
                                transposeA,
                                graph.variable("b", flipped(transposeB, 3, 4)),
                                transposeB,
                                0.7f));
                one("FusedMatMul of batches with a matrix" + flags, graph -> graph.operators()
                        .fusedMatMul(
                                graph.variable("a", flipped(transposeA, "B", "T", 3)),
                                transposeA,
                                graph.variable("b", flipped(transposeB, 3, 4)),
                                transposeB,
                                1.5f));
                for (Object[] addend : List.of(dims(), dims(4), dims(1, 4), dims("N", 1), dims("N", 4))) {
                    one(
                            "Gemm" + flags + ", addend " + List.of(addend),
                            graph -> graph.apply(
                                    Operator.GEMM,
                                    Attributes.of(
                                            "transA", transposeA, "transB", transposeB, "alpha", 0.7f, "beta", 0.5f),
                                    graph.variable("a", flipped(transposeA, "N", 3)),
                                    graph.variable("b", flipped(transposeB, 3, 4)),
                                    graph.variable("c", addend)));
                }
            }
        }
        one("Gemm without an addend", graph -> graph.operators()
                .gemm(graph.variable("a", "N", 3), false, graph.variable("b", 4, 3), true, null));
        one("Gemm with frozen weights", graph -> graph.operators()
                .gemm(graph.variable("a", "N", 3), false, graph.constant("b", 4, 3), true, graph.constant("c", 4)));
        one("Gemm of frozen rows", graph -> graph.operators()
                .gemm(graph.constant("a", "N", 3), false, graph.variable("b", 4, 3), true, graph.variable("c", 4)));
    }

    private static Object[] flipped(boolean flip, Object... dimensions) {
        Object[] result = dimensions.clone();
        int last = result.length - 1;
        if (flip) {
            result[last] = dimensions[last - 1];
            result[last - 1] = dimensions[last];
        }
        return result;
    }

    private void addNormalizations() {
        one("LayerNormalization", graph -> graph.operators()
                .layerNorm(
                        graph.variable("x", "B", "T", 6),
                        graph.variable("scale", 6),
                        graph.variable("bias", 6),
                        1e-5f));
        one("LayerNormalization without bias", graph -> graph.operators()
                .node(
                        Operator.LAYER_NORMALIZATION,
                        3,
                        Attributes.of("axis", -1, "epsilon", 1e-2f),
                        graph.variable("x", "N", 6),
                        graph.variable("scale", 6))
                .output());
        one("SimplifiedLayerNormalization", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "B", "T", 6), graph.variable("scale", 6), 1e-5f));
        one("SimplifiedLayerNormalization of matrices with a large epsilon", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "N", 6), graph.variable("scale", 6), 0.1f));
        one("SimplifiedLayerNormalization per head", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "B", "T", 2, 4), graph.variable("scale", 4), 1e-5f));
        one("SimplifiedLayerNormalization with a frozen scale", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "N", 6), graph.constant("scale", 6), 1e-5f));
        one("SimplifiedLayerNormalization of frozen rows", graph -> graph.operators()
                .rmsNorm(graph.constant("x", "N", 6), graph.variable("scale", 6), 1e-5f));
    }

    private void addReductions() {
        for (boolean keep : List.of(true, false)) {
            one("ReduceSum of a middle axis, keepdims " + keep, graph -> graph.operators()
                    .reduceSum(graph.variable("x", "B", 4, "T"), keep, 1));
            one("ReduceSum of symbolic axes, keepdims " + keep, graph -> graph.operators()
                    .reduceSum(graph.variable("x", "B", 4, "T"), keep, -1, 0));
            one(
                    "ReduceSum of everything, keepdims " + keep,
                    graph -> graph.apply(
                            Operator.REDUCE_SUM, Attributes.of("keepdims", keep), graph.variable("x", "B", 4, "T")));
        }
        one(
                "ReduceSum over no axes",
                graph -> graph.apply(
                        Operator.REDUCE_SUM,
                        Attributes.of("noop_with_empty_axes", 1),
                        graph.variable("x", "B", 4),
                        graph.operators().longs()));
        one(
                "Expand as grouped heads need it",
                graph -> graph.apply(
                        Operator.EXPAND,
                        Attributes.NONE,
                        graph.variable("x", "B", 2, 1, "T", 3),
                        graph.operators().longs(1, 1, 4, 1, 1)));
        one(
                "Expand to another value's shape",
                graph -> graph.apply(
                        Operator.EXPAND,
                        Attributes.NONE,
                        graph.variable("x", "T", 1),
                        graph.operators().shape(graph.constant("like", "B", "T", 3))));
        for (int exclusive : List.of(0, 1)) {
            for (int reverse : List.of(0, 1)) {
                one(
                        "CumSum, exclusive " + exclusive + ", reverse " + reverse,
                        graph -> graph.apply(
                                Operator.CUM_SUM,
                                Attributes.of("exclusive", exclusive, "reverse", reverse),
                                graph.variable("x", "B", "T"),
                                graph.operators().longScalar(1)));
            }
        }
    }

    private void addLayouts() {
        one("Reshape of heads", graph -> graph.operators().reshape(graph.variable("x", "B", "T", 6), 0, 0, 2, 3));
        one("Reshape to rows", graph -> graph.operators().reshape(graph.variable("x", "B", "T", 6), -1, 6));
        one("Reshape of parameters", graph -> graph.operators().reshape(graph.variable("x", 4, 6), 2, 12));
        one("Reshape to a computed shape and back", graph -> {
            Value like = graph.constant("like", "B", "T", 6);
            Value rows = graph.variable("x", Dimension.of("B*T"), 6);
            Value shaped = graph.operators()
                    .reshape(rows, graph.operators().shape(like), like.type().dimensions());
            return graph.operators().reshape(graph.operators().mul(shaped, shaped), -1, 6);
        });
        one("Squeeze", graph -> graph.operators().squeeze(graph.variable("x", "B", 1, "T", 1), 1, -1));
        one(
                "Squeeze without axes",
                graph -> typed(
                        graph,
                        Operator.SQUEEZE,
                        TensorType.of(ElementType.FLOAT, "B", "T"),
                        graph.variable("x", "B", 1, "T", 1)));
        one("Unsqueeze", graph -> graph.operators().unsqueeze(graph.variable("x", "B", "T"), 1, -1));
        one("Transpose of heads", graph -> graph.operators()
                .transpose(graph.variable("x", "B", "T", 2, 3), 0, 2, 1, 3));
        one("Transpose in a cycle", graph -> graph.operators().transpose(graph.variable("x", "B", "T", 4), 2, 0, 1));
        one(
                "Transpose without a permutation",
                graph -> typed(
                        graph,
                        Operator.TRANSPOSE,
                        TensorType.of(ElementType.FLOAT, 4, "T", "B"),
                        graph.variable("x", "B", "T", 4)));
        one("Concat", graph -> graph.operators()
                .concat(-1, graph.variable("x", "B", 2), graph.variable("y", "B", 3), graph.constant("z", "B", 1)));
        one("Concat of a value with itself", graph -> {
            Value x = graph.variable("x", "B", 2);
            return graph.operators().concat(1, x, x);
        });
        cases.put("Split", graph -> graph.operators().split(graph.variable("x", "B", "T", 6), 2, 1, 2, 3));
        one("Split of which one part is used", graph -> graph.operators()
                .split(graph.variable("x", "B", "T", 6), -1, 1, 2, 3)
                .get(1));
        one(
                "Slice of a last axis",
                graph -> slice(graph, graph.variable("x", "B", "T", 6), longs(1), longs(4), longs(2)));
        one(
                "Slice of two axes with ends from behind",
                graph -> slice(
                        graph, graph.variable("x", 5, "B", 6), longs(-3, 2), longs(Long.MAX_VALUE, -1), longs(0, 2)));
    }

    private static Value typed(GradientCase graph, Operator operator, TensorType type, Value input) {
        Node node = graph.graph()
                .addTyped(operator.operatorName(), List.of(input), Attributes.NONE, List.of("typed"), List.of(type));
        return node.output();
    }

    private static Value slice(GradientCase graph, Value x, long[] starts, long[] ends, long[] axes) {
        return graph.apply(
                Operator.SLICE,
                Attributes.NONE,
                x,
                graph.operators().longs(starts),
                graph.operators().longs(ends),
                graph.operators().longs(axes));
    }

    private void addGathers() {
        one("Gather of an embedding with repeated tokens", graph -> graph.operators()
                .gather(graph.variable("x", 4, 3), graph.indices("ids", 4, "B", "T"), 0));
        one("Gather of rows", graph -> graph.operators()
                .gather(graph.variable("x", Dimension.of("B*T"), 3), graph.indices("ids", 10, "N"), 0));
        one("Gather along a middle axis", graph -> graph.operators()
                .gather(graph.variable("x", "B", 4, 3), graph.indices("ids", 4, 2), 1));
        one("Gather of one row", graph -> graph.operators()
                .gather(graph.variable("x", 4, 3), graph.operators().longScalar(2), 0));
    }

    private void addRotary() {
        one("RotaryEmbedding", graph -> graph.operators()
                .rotaryEmbedding(
                        graph.variable("x", "B", 2, "T", 6),
                        positions(graph),
                        graph.constant("cosines", 8, 3),
                        graph.constant("sines", 8, 3)));
        cases.put("RotaryEmbedding of two values with the same sines", graph -> {
            Value cosines = graph.constant("cosines", 8, 3);
            Value sines = graph.constant("sines", 8, 3);
            Value positions = positions(graph);
            return outputs(
                    graph.operators().rotaryEmbedding(graph.variable("x", "B", 2, "T", 6), positions, cosines, sines),
                    graph.operators().rotaryEmbedding(graph.variable("y", "B", 1, "T", 6), positions, cosines, sines));
        });
    }

    private static Value positions(GradientCase graph) {
        return graph.given("positions", TensorType.of(ElementType.INT64, 1), HostTensor.ofLongs(new long[] {0}, 1));
    }

    private static Object[] dims(Object... dimensions) {
        return dimensions;
    }

    private static long[] longs(long... values) {
        return values;
    }
}
