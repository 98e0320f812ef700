package dev.holdfast.gradient;

import static dev.holdfast.gradient.GradientCase.outputs;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules together: one decoder block of each kind from token numbers to logits, every parameter's gradient. */
class DecoderGradientTest {
    private static final int HIDDEN = 8;
    private static final int HEADS = 4;
    private static final int KEY_VALUE_HEADS = 2;
    private static final int HEAD_SIZE = 4;
    private static final int INNER = 12;
    private static final int VOCABULARY = 11;
    private static final Dimension ROWS = Dimension.of("B*T");

    @ParameterizedTest(name = "added to pending gradients: {0}")
    @ValueSource(booleans = {false, true})
    void llamaBlockWithGroupedQueriesAndTiedEmbedding(boolean pending) {
        check(DecoderGradientTest::llama, Kernels.STOCK, pending);
    }

    @ParameterizedTest(name = "added to pending gradients: {0}")
    @ValueSource(booleans = {false, true})
    void gpt2BlockWithLearntPositions(boolean pending) {
        check(DecoderGradientTest::gpt2, Kernels.STOCK, pending);
    }

    @ParameterizedTest(name = "added to pending gradients: {0}")
    @ValueSource(booleans = {false, true})
    void llamaBlockWithHoldfastGradients(boolean pending) {
        HoldfastOperators.check(DecoderGradientTest::llama, 5, pending);
    }

    @ParameterizedTest(name = "added to pending gradients: {0}")
    @ValueSource(booleans = {false, true})
    void llamaBlockOfFusedOperators(boolean pending) {
        HoldfastOperators.check(DecoderGradientTest::fusedLlama, 5, pending);
    }

    private static void check(Function<GradientCase, List<Value>> build, Kernels operators, boolean pending) {
        new GradientCheck(build, 5, SessionSettings.defaults().withIntraOpThreads(1)).check(operators, pending);
    }

    private static List<Value> llama(GradientCase graph) {
        Operators operators = graph.operators();
        Value embedding = graph.variable("embedding", VOCABULARY, HIDDEN);
        Value ids = graph.indices("ids", VOCABULARY, "B", "T");
        Value x = operators.reshape(operators.gather(embedding, ids, 0), -1, HIDDEN);
        Value normed = norm(graph, x, "first norm");
        Value query = rotated(graph, heads(graph, linear(graph, normed, "query", HEADS * HEAD_SIZE), ids, HEADS));
        Value key = rotated(
                graph, heads(graph, linear(graph, normed, "key", KEY_VALUE_HEADS * HEAD_SIZE), ids, KEY_VALUE_HEADS));
        Value value = heads(graph, linear(graph, normed, "value", KEY_VALUE_HEADS * HEAD_SIZE), ids, KEY_VALUE_HEADS);
        Value mixed = attention(graph, query, grouped(operators, key), grouped(operators, value));
        x = operators.add(x, linear(graph, mixed, "output", HIDDEN));
        Value second = norm(graph, x, "second norm");
        Value gate = operators.silu(linear(graph, second, "gate", INNER));
        Value inner = operators.mul(gate, linear(graph, second, "up", INNER));
        return logits(graph, operators.add(x, linear(graph, inner, "down", HIDDEN)), embedding);
    }

    private static List<Value> fusedLlama(GradientCase graph) {
        Operators operators = graph.operators();
        Value embedding = graph.variable("embedding", VOCABULARY, HIDDEN);
        Value ids = graph.indices("ids", VOCABULARY, "B", "T");
        Value x = operators.reshape(operators.gather(embedding, ids, 0), -1, HIDDEN);
        Value normed = norm(graph, x, "first norm");
        Attributes attributes = Attributes.of("num_heads", HEADS, "kv_num_heads", KEY_VALUE_HEADS, "scale", 0.5f);
        Value mixed = operators
                .node(
                        Operator.CAUSAL_ATTENTION,
                        2,
                        attributes,
                        sequences(graph, linear(graph, normed, "query", HEADS * HEAD_SIZE), ids),
                        sequences(graph, linear(graph, normed, "key", KEY_VALUE_HEADS * HEAD_SIZE), ids),
                        sequences(graph, linear(graph, normed, "value", KEY_VALUE_HEADS * HEAD_SIZE), ids),
                        graph.constant("cosines", 8, HEAD_SIZE / 2),
                        graph.constant("sines", 8, HEAD_SIZE / 2))
                .output();
        Value rows = operators.reshape(mixed, -1, HEADS * HEAD_SIZE);
        x = operators.add(x, linear(graph, rows, "output", HIDDEN));
        Value second = norm(graph, x, "second norm");
        Value inner = operators.add(
                Operator.SWI_GLU,
                Attributes.NONE,
                linear(graph, second, "gate", INNER),
                linear(graph, second, "up", INNER));
        return logits(graph, operators.add(x, linear(graph, inner, "down", HIDDEN)), embedding);
    }

    private static List<Value> logits(GradientCase graph, Value x, Value embedding) {
        Operators operators = graph.operators();
        Value responses = operators.gather(norm(graph, x, "last norm"), graph.indices("responses", 10, "N"), 0);
        return outputs(operators.gemm(responses, false, embedding, true, null));
    }

    /** [B·T, width] → [B, T, width]. */
    private static Value sequences(GradientCase graph, Value rows, Value ids) {
        Operators operators = graph.operators();
        Dimension width = rows.type().dimension(1);
        Value shape = operators.concat(0, operators.shape(ids), operators.longs(width.size()));
        return operators.reshape(rows, shape, List.of(Dimension.of("B"), Dimension.of("T"), width));
    }

    private static List<Value> gpt2(GradientCase graph) {
        Operators operators = graph.operators();
        Value embedding = graph.variable("embedding", VOCABULARY, HIDDEN);
        Value ids = graph.indices("ids", VOCABULARY, "B", "T");
        Value places = graph.given(
                "places", TensorType.of(ElementType.INT64, "T"), HostTensor.ofLongs(new long[] {0, 1, 2, 3, 4}, 5));
        Value position = operators.gather(graph.variable("positions", 9, HIDDEN), places, 0);
        Value x = operators.reshape(operators.add(operators.gather(embedding, ids, 0), position), -1, HIDDEN);
        Value joined = linear(graph, layerNorm(graph, x, "first norm"), "joined", 3 * HIDDEN);
        List<Value> parts = operators.split(joined, 1, HIDDEN, HIDDEN, HIDDEN);
        Value mixed = attention(
                graph,
                heads(graph, parts.get(0), ids, 2),
                heads(graph, parts.get(1), ids, 2),
                heads(graph, parts.get(2), ids, 2));
        x = operators.add(x, linear(graph, mixed, "output", HIDDEN));
        Value inner = operators.gelu(linear(graph, layerNorm(graph, x, "second norm"), "inner", INNER), true);
        x = operators.add(x, linear(graph, inner, "down", HIDDEN));
        return outputs(operators.gemm(layerNorm(graph, x, "last norm"), false, embedding, true, null));
    }

    private static Value norm(GradientCase graph, Value x, String name) {
        return graph.operators().rmsNorm(x, graph.variableIn(0.5f, 1.5f, name, HIDDEN), 1e-5f);
    }

    private static Value layerNorm(GradientCase graph, Value x, String name) {
        Value scale = graph.variableIn(0.5f, 1.5f, name, HIDDEN);
        return graph.operators().layerNorm(x, scale, graph.variable(name + " bias", HIDDEN), 1e-5f);
    }

    private static Value linear(GradientCase graph, Value rows, String name, int width) {
        int from = (int) rows.type().dimension(-1).size();
        Value weight = graph.variableIn(-0.5f, 0.5f, name, width, from);
        return graph.operators().gemm(rows, false, weight, true, graph.variable(name + " bias", width));
    }

    /** [B·T, heads·size] → [B, heads, T, size]. */
    private static Value heads(GradientCase graph, Value rows, Value ids, int heads) {
        Operators operators = graph.operators();
        long size = rows.type().dimension(-1).size() / heads;
        Value shape = operators.concat(0, operators.shape(ids), operators.longs(heads, size));
        List<Dimension> dimensions =
                List.of(Dimension.of("B"), Dimension.of("T"), Dimension.of(heads), Dimension.of(size));
        return operators.transpose(operators.reshape(rows, shape, dimensions), 0, 2, 1, 3);
    }

    private static Value rotated(GradientCase graph, Value heads) {
        String of = heads.name();
        return graph.operators()
                .rotaryEmbedding(
                        heads,
                        graph.operators().longs(0),
                        graph.constant("cosines of " + of, 8, HEAD_SIZE / 2),
                        graph.constant("sines of " + of, 8, HEAD_SIZE / 2));
    }

    /** [B, keyValueHeads, T, size] → [B, heads, T, size], each head repeated for its group. */
    private static Value grouped(Operators operators, Value heads) {
        Value copies = operators.add(
                Operator.EXPAND,
                Attributes.NONE,
                operators.unsqueeze(heads, 2),
                operators.longs(1, 1, HEADS / KEY_VALUE_HEADS, 1, 1));
        return operators.reshape(copies, 0, HEADS, -1, HEAD_SIZE);
    }

    private static Value attention(GradientCase graph, Value query, Value key, Value value) {
        Operators operators = graph.operators();
        long heads = query.type().dimension(1).size();
        long size = query.type().dimension(3).size();
        Value scores = operators.fusedMatMul(query, false, key, true, (float) (1 / Math.sqrt(size)));
        Value masked = operators.where(seen(graph), scores, operators.floatScalar(-1e9f));
        Value mixed = operators.matMul(operators.softmax(masked), value);
        Value rows = operators.reshape(operators.transpose(mixed, 0, 2, 1, 3), -1, heads * size);
        assert rows.type().dimension(0).equals(ROWS);
        return rows;
    }

    private static Value seen(GradientCase graph) {
        Operators operators = graph.operators();
        Value places = graph.given(
                "places of keys",
                TensorType.of(ElementType.INT64, "T"),
                HostTensor.ofLongs(new long[] {0, 1, 2, 3, 4}, 5));
        return operators.add(Operator.LESS_OR_EQUAL, Attributes.NONE, places, operators.unsqueeze(places, 1));
    }
}
