package dev.holdfast.gradient;

import static dev.holdfast.gradient.GradientCase.outputs;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The gradients that Holdfast's own operators compute, against differences of the forward pass. */
class HoldfastOperatorGradientTest {
    private final Map<String, Function<GradientCase, List<Value>>> cases = new LinkedHashMap<>();

    @TestFactory
    Stream<DynamicTest> everyOperatorAgreesWithDifferences() {
        addNormalizations();
        addEmbeddings();
        addAttention();
        addProducts();
        one(
                "SwiGlu",
                graph -> graph.apply(
                        Operator.SWI_GLU,
                        Attributes.NONE,
                        graph.variableIn(-3, 3, "gate", "N", 19),
                        graph.variable("up", "N", 19)));
        one("SeededDropout", graph -> graph.operators()
                .seededDropout(graph.variable("x", "N", 19), graph.indices("key", 100, 3), 0.4f, 2));
        return cases.entrySet().stream().flatMap(entry -> Stream.of(false, true)
                .map(pending -> DynamicTest.dynamicTest(
                        entry.getKey() + (pending ? ", added to a pending gradient" : ""),
                        () -> HoldfastOperators.check(
                                entry.getValue(), entry.getKey().hashCode(), pending))));
    }

    private void one(String name, Function<GradientCase, Value> build) {
        cases.put(name, graph -> outputs(build.apply(graph)));
    }

    private void addNormalizations() {
        one("RmsNorm of batches", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "B", "T", 6), graph.variable("scale", 6), 1e-5f));
        one("RmsNorm of rows wider than a vector register", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "N", 37), graph.variable("scale", 37), 1e-5f));
        one("RmsNorm with a large epsilon", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "N", 6), graph.variable("scale", 6), 0.1f));
        one("RmsNorm per head", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "B", "T", 2, 4), graph.variable("scale", 4), 1e-5f));
        one("RmsNorm with a frozen scale", graph -> graph.operators()
                .rmsNorm(graph.variable("x", "N", 6), graph.constant("scale", 6), 1e-5f));
        one("RmsNorm of frozen rows", graph -> graph.operators()
                .rmsNorm(graph.constant("x", "N", 6), graph.variable("scale", 6), 1e-5f));
    }

    private void addEmbeddings() {
        one("embedding with repeated tokens", graph -> graph.operators()
                .gather(graph.variable("x", 4, 3), graph.indices("ids", 4, "B", "T"), 0));
        one("rows of a matrix whose height is known at run time", graph -> graph.operators()
                .gather(graph.variable("x", Dimension.of("B*T"), 3), graph.indices("ids", 10, "N"), 0));
        one("embedding tied to the head", graph -> {
            Value weights = graph.variable("weights", 9, 3);
            Value rows = graph.operators().gather(weights, graph.indices("ids", 9, "N"), 0);
            return graph.operators().gemm(rows, false, weights, true, null);
        });
    }

    private void addProducts() {
        for (boolean transposeA : List.of(false, true)) {
            for (boolean transposeB : List.of(false, true)) {
                Attributes attributes = Attributes.of("transA", transposeA, "transB", transposeB, "alpha", 0.7f);
                String form = "MatrixProduct, transA " + transposeA + ", transB " + transposeB;
                one(form, graph -> product(graph, attributes, transposeA, transposeB, null));
                one(form + ", bias", graph -> product(graph, attributes, transposeA, transposeB, new Object[] {5}));
                one(
                        form + ", addend",
                        graph -> product(graph, attributes, transposeA, transposeB, new Object[] {6, 5}));
            }
        }
    }

    private static Value product(
            GradientCase graph, Attributes attributes, boolean transposeA, boolean transposeB, Object[] addend) {
        Value a = transposeA ? graph.variable("a", 4, 6) : graph.variable("a", 6, 4);
        Value b = transposeB ? graph.variable("b", 5, 4) : graph.variable("b", 4, 5);
        return addend == null
                ? graph.apply(Operator.MATRIX_PRODUCT, attributes, a, b)
                : graph.apply(Operator.MATRIX_PRODUCT, attributes, a, b, graph.variable("c", addend));
    }

    private void addAttention() {
        for (boolean rotary : List.of(false, true)) {
            one("CausalAttention, one head, rotary " + rotary, graph -> attention(graph, 1, 1, 4, rotary));
            one("CausalAttention, as many key heads, rotary " + rotary, graph -> attention(graph, 3, 3, 4, rotary));
            one("CausalAttention, grouped heads, rotary " + rotary, graph -> attention(graph, 6, 2, 8, rotary));
            one("CausalAttention, one key head, rotary " + rotary, graph -> attention(graph, 4, 1, 6, rotary));
        }
    }

    private static Value attention(GradientCase graph, int heads, int keyValueHeads, int headSize, boolean rotary) {
        Attributes attributes = Attributes.of("num_heads", heads, "kv_num_heads", keyValueHeads, "scale", 0.6f);
        return graph.operators()
                .node(
                        Operator.CAUSAL_ATTENTION,
                        2,
                        attributes,
                        graph.variable("query", "B", "T", heads * headSize),
                        graph.variable("key", "B", "T", keyValueHeads * headSize),
                        graph.variable("value", "B", "T", keyValueHeads * headSize),
                        rotary ? graph.constant("cosines", 8, headSize / 2) : null,
                        rotary ? graph.constant("sines", 8, headSize / 2) : null)
                .output();
    }
}
