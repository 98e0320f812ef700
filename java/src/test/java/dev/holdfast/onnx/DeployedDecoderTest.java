package dev.holdfast.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Decoders as other exporters write them, with hidden states that can be told by hand: embedding plus position, times the mask. */
class DeployedDecoderTest {
    private static final int VOCABULARY = 4;
    private static final int HIDDEN = 3;

    /** Row v holds v, v + 0.25 and v + 0.5: exact in half types, as are the sums. */
    private static final float[] EMBEDDING = new float[VOCABULARY * HIDDEN];

    static {
        for (int i = 0; i < EMBEDDING.length; i++) {
            EMBEDDING[i] = i / HIDDEN + 0.25f * (i % HIDDEN);
        }
    }

    @TempDir
    Path folder;

    /** How the head is written. */
    private enum Head {
        MATMUL,
        MATMUL_OF_TRANSPOSE,
        GEMM,
        GEMM_TRANSPOSED
    }

    private static Node add(Graph graph, String operator, Attributes attributes, String name, Value... inputs) {
        List<ValueType> unknown = new ArrayList<>();
        unknown.add(null);
        return graph.addTyped(new OperatorName("", operator), List.of(inputs), attributes, List.of(name), unknown);
    }

    private static Value weights(Graph graph, ElementType type, String name, float[] values, long... dimensions) {
        HostTensor tensor = HostTensor.allocate(type, Shape.of(dimensions));
        for (int i = 0; i < values.length; i++) {
            if (type == ElementType.FLOAT) {
                tensor.floats().put(i, values[i]);
            } else {
                tensor.bytes().putShort(2 * i, HalfPrecision.floatToHalf(values[i]));
            }
        }
        return graph.initializer(name, TensorType.of(type, tensor.shape()), new Initializer.Inline(tensor));
    }

    private static float[] transposedEmbedding() {
        float[] values = new float[EMBEDDING.length];
        for (int i = 0; i < values.length; i++) {
            values[i % HIDDEN * VOCABULARY + i / HIDDEN] = EMBEDDING[i];
        }
        return values;
    }

    /** The graph up to the hidden states [B, T, H]. */
    private static Value hidden(Graph graph, ElementType type) {
        Value ids = graph.input("input_ids", TensorType.of(ElementType.INT64, "B", "T"));
        Value mask = graph.input("attention_mask", TensorType.of(ElementType.INT64, "B", "S"));
        Value positions = graph.input("position_ids", TensorType.of(ElementType.INT64, "B", "T"));
        Value past = graph.input("past_key_values.0.key", TensorType.of(type, "B", 2, "P", 4));
        Value embedding = weights(graph, type, "embedding", EMBEDDING, VOCABULARY, HIDDEN);
        Value rows =
                add(graph, "Gather", Attributes.NONE, "rows", embedding, ids).output();
        Value sum = add(graph, "Add", Attributes.NONE, "sum", rows, perToken(graph, type, "place", positions))
                .output();
        Value nothing = add(graph, "ReduceSum", Attributes.of("keepdims", 0), "nothing", past)
                .output();
        Value more = add(graph, "Add", Attributes.NONE, "more", sum, nothing).output();
        return add(graph, "Mul", Attributes.NONE, "hidden", more, perToken(graph, type, "seen", mask))
                .output();
    }

    /** An integer input as [B, T, 1] of the type. */
    private static Value perToken(Graph graph, ElementType type, String name, Value input) {
        Value numbers = add(graph, "Cast", Attributes.of("to", type.onnxCode()), name, input)
                .output();
        Value last = graph.constant(name + "_axis", HostTensor.ofLongs(new long[] {-1}, 1));
        return add(graph, "Unsqueeze", Attributes.NONE, name + "_column", numbers, last)
                .output();
    }

    private static Value product(Graph graph, ElementType type, Head head, Value hidden) {
        Value columns = weights(graph, type, "head", transposedEmbedding(), HIDDEN, VOCABULARY);
        Value rows = graph.value("embedding");
        Value flat = head.name().startsWith("GEMM") ? reshaped(graph, "flat", hidden, -1, HIDDEN) : hidden;
        return switch (head) {
            case MATMUL -> add(graph, "MatMul", Attributes.NONE, "product", flat, columns)
                    .output();
            case MATMUL_OF_TRANSPOSE -> {
                Value turned = add(graph, "Transpose", Attributes.of("perm", List.of(1L, 0L)), "turned", rows)
                        .output();
                yield add(graph, "MatMul", Attributes.NONE, "product", flat, turned)
                        .output();
            }
            case GEMM -> add(graph, "Gemm", Attributes.NONE, "product", flat, columns)
                    .output();
            case GEMM_TRANSPOSED -> add(graph, "Gemm", Attributes.of("transB", 1), "product", flat, rows)
                    .output();
        };
    }

    private static Value reshaped(Graph graph, String name, Value value, long... shape) {
        Value sizes = graph.constant(name + "_shape", HostTensor.ofLongs(shape, shape.length));
        return add(graph, "Reshape", Attributes.NONE, name, value, sizes).output();
    }

    /** Writes a decoder whose product is followed by something before the logits. */
    private Path write(ElementType type, Head head, UnaryOperator<Graph> change) {
        Graph graph = new Graph("decoder");
        product(graph, type, head, hidden(graph, type));
        graph = change.apply(graph);
        Path file = folder.resolve("model.onnx");
        ModelFile.write(graph, file);
        return file;
    }

    private static UnaryOperator<Graph> ending(String operator, Attributes attributes) {
        return graph -> {
            graph.output(add(graph, operator, attributes, "logits", graph.value("product"))
                    .output());
            return graph;
        };
    }

    private static final UnaryOperator<Graph> AS_FLOAT =
            ending("Cast", Attributes.of("to", ElementType.FLOAT.onnxCode()));

    private void assertCutsRight(Path file) {
        DeployedDecoder decoder = DeployedDecoder.read(file, "logits");
        assertThat(decoder.vocabularySize()).isEqualTo(VOCABULARY);
        assertThat(decoder.hiddenSize()).isEqualTo(HIDDEN);
        assertThat(decoder.head().shape()).isEqualTo(Shape.of(VOCABULARY, HIDDEN));
        assertThat(decoder.head().toFloatArray()).containsExactly(EMBEDDING);
        SessionSettings settings = SessionSettings.defaults()
                .withOperatorLibrary(NativeLibrary.load().operatorLibrary())
                .withHoldfastOperators();
        Map<String, HostTensor> inputs = Map.of(
                "input_ids", HostTensor.ofLongs(new long[] {3, 0, 1, 2, 2, 0}, 2, 3),
                "at", HostTensor.ofLongs(new long[] {1, 5, 0}, 3));
        try (InferenceSession session =
                InferenceSession.open("cut", decoder.hiddenModel("at", "states"), folder, settings)) {
            assertThat(session.inputs().stream().map(input -> input.name())).containsExactly("input_ids", "at");
            HostTensor states = session.run(inputs, List.of("states")).get("states");
            assertThat(states.shape()).isEqualTo(Shape.of(3, HIDDEN));
            // Token 0 at place 1, token 0 at place 2, token 3 at place 0.
            assertThat(states.toFloatArray()).containsExactly(1, 1.25f, 1.5f, 2, 2.25f, 2.5f, 3, 3.25f, 3.5f);
        }
    }

    @ParameterizedTest
    @EnumSource(Head.class)
    void aDecoderIsCutBeforeItsHeadHoweverThatIsWritten(Head head) {
        assertCutsRight(write(ElementType.FLOAT, head, AS_FLOAT));
    }

    @Test
    void halfTypesBecomeFloats() {
        assertCutsRight(write(ElementType.FLOAT16, Head.MATMUL, AS_FLOAT));
    }

    private void assertRefused(UnaryOperator<Graph> change, String what) {
        Path file = write(ElementType.FLOAT, Head.MATMUL, change);
        assertThatThrownBy(() -> DeployedDecoder.read(file, "logits").hiddenModel("at", "states"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageStartingWith(file + ": " + what)
                .hasMessageContaining("a decoder can be a reference if");
    }

    @Test
    void cappedLogitsAreRefused() {
        assertRefused(ending("Tanh", Attributes.NONE), "head: expected logits from a MatMul or a Gemm, got Tanh");
    }

    @Test
    void aComputedHeadIsRefused() {
        assertRefused(
                graph -> {
                    Value doubled = add(
                                    graph, "Add", Attributes.NONE, "doubled", graph.value("head"), graph.value("head"))
                            .output();
                    graph.output(add(graph, "MatMul", Attributes.NONE, "logits", graph.value("hidden"), doubled)
                            .output());
                    return graph;
                },
                "head: expected a constant matrix");
    }

    @Test
    void anUnknownInputIsRefused() {
        assertRefused(
                graph -> {
                    Value flag = graph.input("use_cache_branch", TensorType.of(ElementType.BOOL, 1));
                    graph.output(add(
                                    graph,
                                    "Where",
                                    Attributes.NONE,
                                    "logits_or_none",
                                    flag,
                                    graph.value("product"),
                                    graph.value("product"))
                            .output());
                    return AS_FLOAT.apply(graph);
                },
                "input use_cache_branch: expected only input_ids");
    }

    @Test
    void anotherOutputThanLogitsIsRefused() {
        assertRefused(
                graph -> {
                    graph.output(graph.value("product"));
                    return graph;
                },
                "outputs: expected one called logits, got [product]");
    }

    @Test
    void whatIsNoModelIsMalformed() throws IOException {
        Path file = Files.writeString(folder.resolve("model.onnx"), "not a model");
        assertThatThrownBy(() -> DeployedDecoder.read(file, "logits")).isInstanceOf(MalformedFileException.class);
    }
}
