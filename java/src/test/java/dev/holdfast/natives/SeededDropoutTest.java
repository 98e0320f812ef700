package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator under ONNX Runtime: what it leaves out follows from key, stream and place alone. */
class SeededDropoutTest {
    /** No multiple of the four places that share a hash, and more than one task. */
    private static final int COUNT = 40_003;

    private static float[] run(float ratio, long stream, int threads, long... key) {
        float[] ones = new float[COUNT];
        Arrays.fill(ones, 1);
        return new OperatorRun("SeededDropout")
                .input("x", HostTensor.ofFloats(ones, COUNT))
                .input("key", HostTensor.ofLongs(key, key.length))
                .attributes(Attributes.of("ratio", ratio, "stream", stream))
                .threads(threads)
                .output("y")
                .run()
                .get("y")
                .toFloatArray();
    }

    private static double shareLeftOut(float[] values) {
        int zeros = 0;
        for (float value : values) {
            zeros += value == 0 ? 1 : 0;
        }
        return (double) zeros / values.length;
    }

    @ParameterizedTest
    @ValueSource(floats = {0.01f, 0.05f, 0.5f, 0.9f})
    void leavesOutTheShareAndDividesByTheRest(float ratio) {
        float[] values = run(ratio, 0, 2, 42, 7, 1);
        // Five standard deviations of a binomial count.
        double deviation = 5 * Math.sqrt(ratio * (1 - ratio) / COUNT);
        assertThat(shareLeftOut(values)).isCloseTo(ratio, within(deviation));
        for (float value : values) {
            if (value != 0) {
                // The share is kept to within 2⁻¹⁷.
                assertThat(value).isCloseTo(1 / (1 - ratio), within(1e-5f / (1 - ratio) / (1 - ratio)));
            }
        }
    }

    @Test
    void isTheSameOnAnyNumberOfThreads() {
        assertThat(run(0.3f, 5, 1, 42, 7, 1)).isEqualTo(run(0.3f, 5, 3, 42, 7, 1));
    }

    /** Of two independent masks that leave out half, half of the places agree. */
    @Test
    void everyNumberOfTheKeyAndTheStreamMakeAnotherMask() {
        float[] first = run(0.5f, 0, 2, 42, 7, 1);
        assertIndependent(first, run(0.5f, 1, 2, 42, 7, 1));
        assertIndependent(first, run(0.5f, 0, 2, 43, 7, 1));
        assertIndependent(first, run(0.5f, 0, 2, 42, 8, 1));
        assertIndependent(first, run(0.5f, 0, 2, 42, 7, 2));
        assertIndependent(first, run(0.5f, 0, 2, 7, 42, 1));
    }

    private static void assertIndependent(float[] first, float[] second) {
        int same = 0;
        for (int i = 0; i < first.length; i++) {
            same += first[i] == second[i] ? 1 : 0;
        }
        // Five standard deviations, as above.
        assertThat((double) same / first.length).isCloseTo(0.5, within(5 * 0.5 / Math.sqrt(COUNT)));
    }

    @Test
    void neighboursAreIndependent() {
        float[] values = run(0.5f, 0, 2, 1);
        for (int distance = 1; distance <= 8; distance++) {
            assertIndependent(Arrays.copyOf(values, COUNT - distance), Arrays.copyOfRange(values, distance, COUNT));
        }
    }

    @Test
    void refusesSharesThatLeaveNothingOrEverything() {
        assertThatThrownBy(() -> run(0, 0, 1, 1))
                .hasMessageContaining("attribute ratio: expected a number between 0 and 1");
        assertThatThrownBy(() -> run(1, 0, 1, 1))
                .hasMessageContaining("attribute ratio: expected a number between 0 and 1");
    }
}
