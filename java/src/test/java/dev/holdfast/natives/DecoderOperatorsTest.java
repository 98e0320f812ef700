package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The operators of decoder graphs under ONNX Runtime; their arithmetic is checked in depth by the C++ tests. */
class DecoderOperatorsTest {
    private final Random random = new Random(1);

    private HostTensor normal(long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return HostTensor.ofFloats(values, shape);
    }

    private static OperatorRun embedding(HostTensor ids, HostTensor dy, HostTensor base) {
        OperatorRun run = new OperatorRun("EmbeddingGrad").input("ids", ids).input("dy", dy);
        if (base != null) {
            run.input("base", base);
        }
        return run.attributes(Attributes.of("vocabulary_size", 4L)).output("grad");
    }

    @Test
    void embeddingGradAddsRowsThatShareAnId() {
        HostTensor ids = HostTensor.ofLongs(new long[] {2, 0, 2}, 1, 3);
        HostTensor dy = HostTensor.ofFloats(new float[] {1, 2, 10, 20, 100, 200}, 1, 3, 2);
        assertThat(embedding(ids, dy, null).run().get("grad").toFloatArray())
                .containsExactly(10, 20, 0, 0, 101, 202, 0, 0);
    }

    @Test
    void embeddingGradStartsFromItsBase() {
        HostTensor ids = HostTensor.ofLongs(new long[] {1, 1}, 2);
        HostTensor dy = HostTensor.ofFloats(new float[] {1, 2, 3, 4}, 2, 2);
        HostTensor base = HostTensor.ofFloats(new float[] {5, 5, 5, 5, 5, 5}, 3, 2);
        assertThat(embedding(ids, dy, base).run().get("grad").toFloatArray()).containsExactly(5, 5, 9, 11, 5, 5);
    }

    @Test
    void embeddingGradRefusesIdsBeyondTheVocabulary() {
        HostTensor ids = HostTensor.ofLongs(new long[] {1, 4}, 2);
        assertThatThrownBy(() -> embedding(ids, normal(2, 3), null).run())
                .hasMessageContaining("EmbeddingGrad: ids[1]: expected [0, 4), got 4");
    }

    @Test
    void embeddingGradHasTheSameBitsOnOneThreadAndOnTwo() {
        HostTensor ids = HostTensor.ofLongs(random.longs(500, 0, 4).toArray(), 500);
        HostTensor dy = normal(500, 300);
        assertThat(embedding(ids, dy, null).threads(1).run().get("grad").bytes())
                .isEqualTo(embedding(ids, dy, null).threads(2).run().get("grad").bytes());
    }

    private OperatorRun norm(HostTensor dy, HostTensor x, HostTensor scale, HostTensor residual) {
        OperatorRun run =
                new OperatorRun("RmsNormGrad").input("dy", dy).input("x", x).input("scale", scale);
        if (residual != null) {
            run.input("residual", residual);
        }
        return run.attributes(Attributes.of("epsilon", 1e-6f)).output("dx").output("d_scale");
    }

    @Test
    void rmsNormGradAddsTheGradientOfTheSkipConnection() {
        HostTensor dy = normal(2, 40, 24);
        HostTensor x = normal(2, 40, 24);
        HostTensor scale = normal(24);
        HostTensor residual = normal(2, 40, 24);
        Map<String, HostTensor> alone = norm(dy, x, scale, null).run();
        Map<String, HostTensor> together =
                norm(dy, x, scale, residual).threads(1).run();
        float[] expected = alone.get("dx").toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            expected[i] += residual.floats().get(i);
        }
        assertThat(together.get("dx").toFloatArray()).isEqualTo(expected);
        assertThat(together.get("d_scale").bytes())
                .isEqualTo(alone.get("d_scale").bytes());
    }

    @Test
    void rmsNormGradOfOneColumnMatchesItsFormula() {
        HostTensor one = HostTensor.ofFloats(new float[] {2}, 1, 1);
        Map<String, HostTensor> result =
                norm(one, one, HostTensor.ofFloats(new float[] {3}, 1), null).run();
        // y = x scale / sqrt(x² + ε) hardly depends on a single x, and d_scale = dy x / sqrt(x² + ε). The slope 7.5e-7
        // is the difference of
        // two numbers of size 3, each rounded by up to 1.2e-7; 2 is rounded twice.
        assertThat(result.get("dx").floats().get(0))
                .isCloseTo((float) (2 * 3 * 1e-6 / Math.pow(4 + 1e-6, 1.5)), within(5e-7f));
        assertThat(result.get("d_scale").floats().get(0)).isCloseTo(2, within(5e-7f));
    }

    @Test
    void swiGluAndItsGradientMatchTheirFormulas() {
        HostTensor gate = HostTensor.ofFloats(new float[] {0, 1.5f, -2}, 3);
        HostTensor up = HostTensor.ofFloats(new float[] {2, -1, 3}, 3);
        HostTensor dy = HostTensor.ofFloats(new float[] {1, 2, -1}, 3);
        float[] y = new OperatorRun("SwiGlu")
                .input("gate", gate)
                .input("up", up)
                .output("y")
                .run()
                .get("y")
                .toFloatArray();
        Map<String, HostTensor> gradient = new OperatorRun("SwiGluGrad")
                .input("dy", dy)
                .input("gate", gate)
                .input("up", up)
                .output("d_gate")
                .output("d_up")
                .run();
        double rounding =
                5e-7; // values up to 3, whose half unit in the last place is 1.2e-7, after an exponential and three
        // products
        for (int i = 0; i < 3; i++) {
            double g = gate.floats().get(i);
            double sigmoid = 1 / (1 + Math.exp(-g));
            assertThat((double) y[i]).isCloseTo(g * sigmoid * up.floats().get(i), within(rounding));
            double dUp = dy.floats().get(i) * g * sigmoid;
            double dGate = dy.floats().get(i) * up.floats().get(i) * sigmoid * (1 + g * (1 - sigmoid));
            assertThat((double) gradient.get("d_up").floats().get(i)).isCloseTo(dUp, within(rounding));
            assertThat((double) gradient.get("d_gate").floats().get(i)).isCloseTo(dGate, within(rounding));
        }
    }

    private static final Attributes HEADS = Attributes.of("num_heads", 3L, "kv_num_heads", 1L, "scale", 0.25f);

    private static OperatorRun attention(HostTensor q, HostTensor k, HostTensor v, HostTensor cos, HostTensor sin) {
        OperatorRun run =
                new OperatorRun("CausalAttention").input("q", q).input("k", k).input("v", v);
        if (cos != null) {
            run.input("cos", cos).input("sin", sin);
        }
        return run.attributes(HEADS).output("o").output("lse");
    }

    @Test
    void theFirstPositionAttendsToItselfAlone() {
        HostTensor v = normal(2, 5, 16);
        float[] o = attention(normal(2, 5, 48), normal(2, 5, 16), v, null, null)
                .run()
                .get("o")
                .toFloatArray();
        for (int head = 0; head < 3; head++) {
            assertThat(Arrays.copyOfRange(o, head * 16, head * 16 + 16))
                    .containsExactly(Arrays.copyOf(v.toFloatArray(), 16)); // its weight is e^0 / e^0
        }
    }

    @Test
    void attentionHasTheSameBitsOnOneThreadAndOnTwo() {
        HostTensor q = normal(2, 70, 48);
        HostTensor k = normal(2, 70, 16);
        HostTensor v = normal(2, 70, 16);
        HostTensor cos = normal(70, 8);
        HostTensor sin = normal(70, 8);
        Map<String, HostTensor> one = attention(q, k, v, cos, sin).threads(1).run();
        Map<String, HostTensor> two = attention(q, k, v, cos, sin).threads(2).run();
        assertThat(one.get("o").bytes()).isEqualTo(two.get("o").bytes());
        HostTensor gradient = normal(2, 70, 48);
        Map<String, HostTensor> backward =
                attentionGrad(gradient, q, k, v, one, cos, sin).threads(1).run();
        Map<String, HostTensor> again =
                attentionGrad(gradient, q, k, v, one, cos, sin).threads(2).run();
        assertThat(backward.get("dk").shape()).isEqualTo(k.shape());
        for (String output : new String[] {"dq", "dk", "dv"}) {
            assertThat(backward.get(output).bytes()).isEqualTo(again.get(output).bytes());
        }
    }

    private static OperatorRun attentionGrad(
            HostTensor gradient,
            HostTensor q,
            HostTensor k,
            HostTensor v,
            Map<String, HostTensor> forward,
            HostTensor cos,
            HostTensor sin) {
        return new OperatorRun("CausalAttentionGrad")
                .input("d_o", gradient)
                .input("q", q)
                .input("k", k)
                .input("v", v)
                .input("o", forward.get("o"))
                .input("lse", forward.get("lse"))
                .input("cos", cos)
                .input("sin", sin)
                .attributes(HEADS)
                .output("dq")
                .output("dk")
                .output("dv");
    }

    @Test
    void attentionNamesTheInputThatDoesNotFit() {
        assertThatThrownBy(() -> attention(normal(1, 4, 48), normal(1, 4, 16), normal(1, 4, 8), null, null)
                        .run())
                .hasMessageContaining("CausalAttention: value: expected shape [1, 4, 16], got [1, 4, 8]");
        assertThatThrownBy(() -> attention(normal(1, 4, 50), normal(1, 4, 16), normal(1, 4, 16), null, null)
                        .run())
                .hasMessageContaining(
                        "CausalAttention: query: expected a width that is a multiple of num_heads (3), got 50");
    }
}
