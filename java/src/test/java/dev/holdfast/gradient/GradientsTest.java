package dev.holdfast.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.OperatorName;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the walk appends, and what it refuses. */
class GradientsTest {
    private final Graph graph = new Graph("test");
    private final Operators operators = Operators.on(graph);
    private int forwardNodes;

    @ParameterizedTest
    @EnumSource(Operator.class)
    void noOperatorIsUndecided(Operator operator) {
        assertThat(DerivativeTable.of(operator)).isNotNull();
    }

    @Test
    void refusalsSayWhatToDo() {
        assertThat(Arrays.stream(Operator.values())
                        .map(DerivativeTable::of)
                        .filter(Derivative.Refused.class::isInstance))
                .isNotEmpty()
                .allSatisfy(refused ->
                        assertThat(((Derivative.Refused) refused).hint()).isNotBlank());
    }

    @Test
    void givesGradientsNearestToTheSeedFirst() {
        Value first = input("first", 4, 3);
        Value second = input("second", 5, 4);
        Value third = input("third", 6, 5);
        Value rows = operators.gemm(input("x", "N", 3), false, first, true, null);
        Value logits = operators.gemm(operators.gemm(rows, false, second, true, null), false, third, true, null);

        Map<Value, Value> gradients = differentiate(logits, Kernels.STOCK, first, second, third);

        assertThat(gradients.keySet()).containsExactly(third, second, first);
        assertThat(gradients.get(second).type()).isEqualTo(second.type());
    }

    @Test
    void productsTakeThePendingGradientAsAddend() {
        Value x = input("x", "N", 3);
        Value y = operators.add(
                operators.gemm(x, false, input("a", 4, 3), true, null),
                operators.gemm(x, false, input("b", 4, 3), true, null));

        differentiate(y, Kernels.STOCK, x, graph.value("a"), graph.value("b"));

        assertThat(appended()).containsExactlyInAnyOrder(Operator.GEMM, Operator.GEMM, Operator.GEMM, Operator.GEMM);
    }

    @Test
    void rmsNormTakesTheResidualGradient() {
        Value x = input("x", "N", 3);
        Value y = operators.add(x, operators.rmsNorm(x, input("scale", 3), 1e-5f));

        differentiate(y, Kernels.HOLDFAST, x, graph.value("scale"));

        assertThat(appended()).containsExactly(Operator.RMS_NORM_GRAD);
        assertThat(last().input(3)).isEqualTo(graph.value("seed"));
    }

    @Test
    void tiedEmbeddingAddsItsRowsToTheGradientOfTheHead() {
        Value weights = input("weights", 9, 3);
        Value ids = graph.input("ids", TensorType.of(ElementType.INT64, "N"));
        Value logits = operators.gemm(operators.gather(weights, ids, 0), false, weights, true, null);

        Map<Value, Value> gradients = differentiate(logits, Kernels.HOLDFAST, weights);

        assertThat(appended())
                .containsExactly(Operator.MATRIX_PRODUCT, Operator.MATRIX_PRODUCT, Operator.EMBEDDING_GRAD);
        assertThat(last().input(2).producer().orElseThrow().attributes().integer("transA", 0))
                .isEqualTo(1);
        assertThat(gradients).containsEntry(weights, last().output());
    }

    @Test
    void tiedEmbeddingIsAccumulatedInItsBufferWhichTheHeadResets() {
        Value weights = input("weights", 9, 3);
        Value ids = graph.input("ids", TensorType.of(ElementType.INT64, "N"));
        Value logits = operators.gemm(operators.gather(weights, ids, 0), false, weights, true, null);

        Map<Value, Value> gradients = differentiateInto(logits, weights);

        assertThat(appended())
                .containsExactly(
                        Operator.MATRIX_PRODUCT,
                        Operator.ACCUMULATE_MATRIX_PRODUCT,
                        Operator.ACCUMULATE_EMBEDDING_GRAD);
        Node head = last().input(2).producer().orElseThrow();
        assertThat(head.input(2)).isEqualTo(graph.value("buffer"));
        assertThat(head.input(3)).isEqualTo(graph.value("reset"));
        assertThat(last().hasInput(3)).isFalse();
        assertThat(gradients).containsEntry(weights, last().output());
    }

    @Test
    void gradientOfAnotherUseIsNotAccumulated() {
        Value x = input("x", "N", 3);

        Map<Value, Value> gradients = differentiateInto(operators.mul(x, input("y", "N", 3)), x);

        assertThat(appended()).containsExactly(Operator.MUL);
        assertThat(gradients).containsEntry(x, last().output());
    }

    @Test
    void refusesAnotherUseOfWhatIsAccumulated() {
        Value weights = input("weights", 3, 3);
        Value y = operators.gemm(operators.neg(weights), false, weights, true, null);

        assertThatThrownBy(() -> differentiateInto(y, weights))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("expected weights to be used by products and lookups of rows alone");
    }

    @Test
    void embeddingOfItsOwnSaysItsSize() {
        Value weights = input("weights", 9, 3);
        Value ids = graph.input("ids", TensorType.of(ElementType.INT64, "B", "T"));

        differentiate(operators.gather(weights, ids, 0), Kernels.HOLDFAST, weights);

        assertThat(appended()).containsExactly(Operator.EMBEDDING_GRAD);
        assertThat(last().attributes().integer("vocabulary_size", 0)).isEqualTo(9);
        assertThat(last().output().type()).isEqualTo(weights.type());
    }

    @Test
    void attentionGetsItsStatisticsAndRotationBack() {
        Attributes heads = Attributes.of("num_heads", 3, "kv_num_heads", 1, "scale", 0.5f);
        Value query = input("query", "B", "T", 12);
        Value key = input("key", "B", "T", 4);
        Value value = input("value", "B", "T", 4);
        Node attention = operators.node(
                Operator.CAUSAL_ATTENTION, 2, heads, query, key, value, input("cosines", 8, 2), input("sines", 8, 2));

        Map<Value, Value> gradients = differentiate(attention.output(), Kernels.HOLDFAST, query, key, value);

        assertThat(appended()).containsExactly(Operator.CAUSAL_ATTENTION_GRAD);
        assertThat(last().attributes().asMap()).isEqualTo(heads.asMap());
        assertThat(last().inputs())
                .containsExactly(
                        graph.value("seed"),
                        query,
                        key,
                        value,
                        attention.output(0),
                        attention.output(1),
                        graph.value("cosines"),
                        graph.value("sines"));
        assertThat(gradients.get(key).type()).isEqualTo(key.type());
    }

    @Test
    void swiGluHasOneOperatorForBothGradients() {
        Value gate = input("gate", "N", 4);
        Value up = input("up", "N", 4);

        Map<Value, Value> gradients =
                differentiate(operators.add(Operator.SWI_GLU, Attributes.NONE, gate, up), Kernels.HOLDFAST, gate, up);

        assertThat(appended()).containsExactly(Operator.SWI_GLU_GRAD);
        assertThat(gradients).containsEntry(gate, last().output(0)).containsEntry(up, last().output(1));
    }

    @Test
    void onlyThePathToWantedValuesIsDifferentiated() {
        Value wanted = input("wanted", 4, 3);
        Value frozen = operators.gemm(input("x", "N", 5), false, input("frozen", 3, 5), true, null);
        Value unused = operators.mul(wanted, wanted);
        Value logits = operators.gemm(frozen, false, wanted, true, null);

        differentiate(logits, Kernels.STOCK, wanted);

        assertThat(appended()).containsExactly(Operator.GEMM);
        assertThat(graph.nodes()).contains(unused.producer().orElseThrow());
    }

    @Test
    void shapesOfGradientsAreConstantsWhereTheyCanBe() {
        Value x = input("x", "B", "T", 6);
        Value heads = operators.transpose(operators.reshape(x, 0, 0, 2, 3), 0, 2, 1, 3);
        Value rows = operators.reshape(operators.transpose(heads, 0, 2, 1, 3), 0, 0, 6);

        differentiate(rows, Kernels.STOCK, x);

        assertThat(appended()).doesNotContain(Operator.SHAPE);
    }

    @Test
    void shapesThatTheForwardPassComputesAreReused() {
        Value ids = graph.input("ids", TensorType.of(ElementType.INT64, "B", "T"));
        Value x = input("x", Dimension.of("B*T"), 6);
        Value shape = operators.concat(0, operators.shape(ids), operators.longs(6));
        List<Dimension> dimensions = List.of(Dimension.of("B"), Dimension.of("T"), Dimension.of(6));
        Value sequences = operators.reshape(x, shape, dimensions);
        Value rows = operators.reshape(operators.neg(sequences), -1, 6);

        differentiate(rows, Kernels.STOCK, x);

        assertThat(appended()).doesNotContain(Operator.SHAPE);
    }

    @Test
    void comparisonsAndShapesLetNothingThrough() {
        Value x = input("x", "B", 3);
        Value mask = operators.where(
                operators.add(Operator.LESS_OR_EQUAL, Attributes.NONE, x, operators.floatScalar(0)),
                operators.floatScalar(0),
                operators.floatScalar(1));
        Value y = operators.mul(mask, input("y", "B", 3));

        assertThatThrownBy(() -> differentiate(y, Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("without a path to it: x");
    }

    @Test
    void unconnectedValuesAreNamed() {
        Value x = input("x", 3);
        Value lost = input("lost", 3);

        assertThatThrownBy(() -> differentiate(operators.neg(x), Kernels.STOCK, x, lost))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("1 without a path to it: lost");
    }

    @Test
    void unconnectedValuesMayBeLeftOut() {
        Value x = input("x", 3);
        Value lost = input("lost", 3);
        Value y = operators.neg(x);

        Map<Value, Value> gradients =
                Gradients.appendConnected(graph, Map.of(y, input("seed", 3)), List.of(x, lost), Kernels.STOCK);

        assertThat(gradients).containsOnlyKeys(x);
    }

    @Test
    void aSeedIsTheGradientOfAValueThatNothingElseUses() {
        Value x = input("x", 3);
        Value seed = input("seed", 3);

        assertThat(Gradients.append(graph, Map.of(x, seed), List.of(x), Kernels.STOCK))
                .containsEntry(x, seed);
        assertThat(graph.nodes()).isEmpty();
    }

    @Test
    void gradientsOfInnerValuesAreComplete() {
        Value x = input("x", "N", 3);
        Value inner = operators.neg(x);
        Value y = operators.mul(inner, inner);

        Map<Value, Value> gradients = differentiate(y, Kernels.STOCK, x, inner);

        assertThat(gradients.get(inner).producer().orElseThrow().operator()).contains(Operator.ADD);
        assertThat(gradients.get(x).producer().orElseThrow().input(0)).isEqualTo(gradients.get(inner));
    }

    @Test
    void unknownOperatorsAreRefusedByName() {
        Value x = input("x", 3);
        Value y = graph.addTyped(
                        new OperatorName("", "Erf"), List.of(x), Attributes.NONE, List.of("erf"), List.of(x.type()))
                .output();

        assertThatThrownBy(() -> differentiate(y, Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("Erf \"erf\"")
                .hasMessageContaining("com.microsoft:FusedMatMul");
    }

    @Test
    void operatorsWithoutDerivativeAreRefusedWithAHint() {
        Value x = input("x", "N", 3);
        Value y = operators.add(Operator.QUICK_GELU_GRAD, Attributes.NONE, input("dy", "N", 3), x);

        assertThatThrownBy(() -> differentiate(y, Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("second derivatives are not supported");
    }

    @Test
    void broadcastsThatMightBeCopiesAreRefused() {
        Value x = input("x", "B", 3);

        assertThatThrownBy(() -> differentiate(operators.mul(x, input("y", "N", 3)), Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("dimension B of FLOAT[B, 3]")
                .hasMessageContaining("got N against it");
    }

    @Test
    void broadcastsAgainstUnknownSizesAreRefused() {
        Value x = input("x", "B", 3);

        assertThatThrownBy(() -> differentiate(operators.mul(x, input("y", Dimension.UNKNOWN, 3)), Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("got ? against it");
    }

    @Test
    void unknownSizesAgainstOneNeedNoSum() {
        Value x = input("x", Dimension.UNKNOWN, 3);

        assertThatCode(() -> differentiate(operators.mul(x, input("y", 1, 3)), Kernels.STOCK, x))
                .doesNotThrowAnyException();
        assertThat(appended()).containsExactly(Operator.MUL);
    }

    @Test
    void statisticsOfNormsCannotBeDifferentiated() {
        Value x = input("x", "N", 3);
        Node norm = operators.node(Operator.SIMPLIFIED_LAYER_NORMALIZATION, 2, Attributes.NONE, x, input("scale", 3));
        Map<Value, Value> seeds = new LinkedHashMap<>();
        seeds.put(norm.output(1), input("seed", "N", 1));

        assertThatThrownBy(() -> Gradients.append(graph, seeds, List.of(x), Kernels.STOCK))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("got a gradient of output 1");
    }

    @Test
    void statisticsThatAreNotThereAreAskedFor() {
        Value x = input("x", "N", 3);
        Value y = operators
                .node(Operator.SIMPLIFIED_LAYER_NORMALIZATION, 1, Attributes.NONE, x, input("scale", 3))
                .output();

        assertThatThrownBy(() -> differentiate(y, Kernels.STOCK, x))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("expected its output 1 to be given");
    }

    @Test
    void learntRotationsAreRefused() {
        Value sines = input("sines", 8, 2);
        Value positions = graph.input("positions", TensorType.of(ElementType.INT64, 1));
        Value y = operators.rotaryEmbedding(input("x", "B", 2, "T", 4), positions, input("cosines", 8, 2), sines);

        assertThatThrownBy(() -> differentiate(y, Kernels.STOCK, graph.value("x"), sines))
                .isInstanceOf(InvalidGraphException.class)
                .hasMessageContaining("expected input 3 to be constant");
    }

    @Test
    void wholeNumbersHaveNoGradient() {
        Value ids = graph.input("ids", TensorType.of(ElementType.INT64, 3));

        assertThatThrownBy(() -> Gradients.append(graph, Map.of(), List.of(ids), Kernels.STOCK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected a floating-point tensor");
    }

    @Test
    void seedsMustFitTheirValues() {
        Value x = input("x", 3);
        Value y = operators.neg(x);

        assertThatThrownBy(() -> Gradients.append(graph, Map.of(y, input("seed", 3, 1)), List.of(x), Kernels.STOCK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected a value of the same type");
    }

    private Value input(String name, Object... dimensions) {
        return graph.input(name, TensorType.of(ElementType.FLOAT, dimensions));
    }

    private Map<Value, Value> differentiate(Value output, Kernels choice, Value... wanted) {
        forwardNodes = graph.nodes().size();
        Value seed = graph.input("seed", output.type());
        return Gradients.append(graph, Map.of(output, seed), List.of(wanted), choice);
    }

    private Map<Value, Value> differentiateInto(Value output, Value wanted) {
        Value buffer = graph.input("buffer", wanted.type());
        Value reset = graph.input("reset", TensorType.of(ElementType.BOOL, 1));
        forwardNodes = graph.nodes().size();
        Value seed = graph.input("seed", output.type());
        Map<Value, GradientBuffer> buffers = Map.of(wanted, GradientBuffer.of(buffer, reset));
        return Gradients.append(graph, Map.of(output, seed), List.of(wanted), Kernels.HOLDFAST, buffers);
    }

    private List<Operator> appended() {
        return graph.nodes().stream()
                .skip(forwardNodes)
                .map(node -> node.operator().orElseThrow())
                .toList();
    }

    private Node last() {
        return graph.nodes().get(graph.nodes().size() - 1);
    }
}
