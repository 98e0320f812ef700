package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.RuntimeFailureException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TokenSamplerTest {
    private static final int DRAWS = 20_000;
    /** Probabilities 0.5, 0.125, 0.25, 0.125. */
    private static final float[] LOGITS = {log2(-1), log2(-3), log2(-2), log2(-3)};

    private static float log2(int exponent) {
        return (float) (exponent * Math.log(2));
    }

    private static double[] shares(GenerationOptions options, float... logits) {
        TokenSampler sampler = new TokenSampler(options);
        int[] counts = new int[logits.length];
        for (int i = 0; i < DRAWS; i++) {
            counts[sampler.choose(FloatBuffer.wrap(logits))]++;
        }
        return Arrays.stream(counts)
                .mapToDouble(count -> (double) count / DRAWS)
                .toArray();
    }

    private static void requireNear(double[] shares, double... expected) {
        for (int id = 0; id < expected.length; id++) {
            // Five standard deviations of the share of one outcome among so many draws.
            double tolerance = 5 * Math.sqrt(expected[id] * (1 - expected[id]) / DRAWS);
            assertThat(Math.abs(shares[id] - expected[id]))
                    .as("token %d: %s", id, shares[id])
                    .isLessThanOrEqualTo(tolerance);
        }
    }

    @Test
    void tokensAreDrawnByTheirProbability() {
        requireNear(shares(GenerationOptions.sampling(1, 1, 1), LOGITS), 0.5, 0.125, 0.25, 0.125);
    }

    @Test
    void temperatureFlattens() {
        double norm = Math.sqrt(0.5) + 2 * Math.sqrt(0.125) + 0.5;
        double rare = Math.sqrt(0.125) / norm;
        requireNear(shares(GenerationOptions.sampling(1, 2, 1), LOGITS), Math.sqrt(0.5) / norm, rare, 0.5 / norm, rare);
    }

    @Test
    void topKKeepsTheLikeliestAndEqualOnesByNumber() {
        GenerationOptions options = GenerationOptions.sampling(1, 1, 1);
        requireNear(shares(options.withTopK(2), LOGITS), 2.0 / 3, 0, 1.0 / 3, 0);
        requireNear(shares(options.withTopK(3), LOGITS), 4.0 / 7, 1.0 / 7, 2.0 / 7, 0);
        requireNear(shares(options.withTopK(99), LOGITS), 0.5, 0.125, 0.25, 0.125);
    }

    @Test
    void topPKeepsTheFewestThatHoldTheShare() {
        GenerationOptions options = GenerationOptions.sampling(1, 1, 1);
        requireNear(shares(options.withTopP(0.4), LOGITS), 1, 0, 0, 0);
        requireNear(shares(options.withTopP(0.7), LOGITS), 2.0 / 3, 0, 1.0 / 3, 0);
    }

    @Test
    void negativeAndPositiveLogitsAreOrderedAsNumbers() {
        GenerationOptions likeliest = GenerationOptions.sampling(1, 1, 1).withTopK(1);
        requireNear(shares(likeliest, -1, -0.5f, -3), 0, 1, 0);
        requireNear(shares(likeliest, -1, 0.25f, 0.5f, -0f), 0, 0, 1, 0);
        requireNear(shares(likeliest, -2, Float.NEGATIVE_INFINITY, -2), 1, 0, 0);
    }

    @Test
    void temperatureZeroTakesTheFirstOfTheLikeliest() {
        requireNear(shares(GenerationOptions.greedy(1), 1, 3, 3, 2), 0, 1, 0, 0);
    }

    @Test
    void whatIsNotANumberIsRefused() {
        TokenSampler sampler = new TokenSampler(GenerationOptions.greedy(1));
        assertThatThrownBy(() -> sampler.choose(FloatBuffer.wrap(new float[] {0, Float.NaN})))
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("token 1");
    }

    @Test
    void optionsHaveRanges() {
        assertThatThrownBy(() -> GenerationOptions.greedy(0)).hasMessageContaining("max_new_tokens");
        assertThatThrownBy(() -> GenerationOptions.sampling(1, -1, 0)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> GenerationOptions.greedy(1).withTopK(-1)).hasMessageContaining("top_k");
        assertThatThrownBy(() -> GenerationOptions.greedy(1).withTopP(0)).hasMessageContaining("top_p");
        assertThatThrownBy(() -> GenerationOptions.greedy(1).withTopP(Double.NaN))
                .hasMessageContaining("top_p");
    }
}
