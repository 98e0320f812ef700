package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.AnchorLossResult;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

class AlphaSolverTest {
    private static final int TOKENS = 5;
    private static final int VOCABULARY = 13;

    /** Statistics are floats, whose sums of some units are rounded by some 1e-7; curvature is told from that. */
    private static final double ROUNDING = 1e-6;

    /** KL(snapshot ‖ anchor) by α, the mean over random tokens, as the loss has it. */
    private static DoubleUnaryOperator divergence(int seed, double spread, Interpolation interpolation) {
        Random random = new Random(seed);
        HostTensor snapshot = logits(random, spread);
        HostTensor reference = logits(random, spread);
        AnchorLossInputs tokens = AnchorLossInputs.ofLabels(
                        snapshot, HostTensor.ofLongs(new long[TOKENS], TOKENS), filled(1))
                .withSnapshot(snapshot);
        return alpha -> {
            AnchorLossResult result = AnchorLoss.create(AnchorLoss.Backend.JAVA)
                    .compute(
                            tokens.withReference(reference, filled((float) alpha)),
                            AnchorLossOptions.anchored(interpolation),
                            Optional.empty());
            double sum = 0;
            for (int token = 0; token < TOKENS; token++) {
                sum += result.statistic(token, LossStatistic.KL_SNAPSHOT_ANCHOR);
            }
            return sum / TOKENS;
        };
    }

    private static HostTensor logits(Random random, double spread) {
        float[] values = new float[TOKENS * VOCABULARY];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (spread * random.nextGaussian());
        }
        return HostTensor.ofFloats(values, TOKENS, VOCABULARY);
    }

    private static HostTensor filled(float value) {
        float[] values = new float[TOKENS];
        Arrays.fill(values, value);
        return HostTensor.ofFloats(values, TOKENS);
    }

    @Property(tries = 200)
    void theSolutionIsWithinTheBudgetAndALittleMoreIsNot(
            @ForAll @IntRange(max = 1_000_000) int seed,
            @ForAll @DoubleRange(min = 0.1, max = 5) double spread,
            @ForAll @Scale(4) @DoubleRange(min = 1e-4, max = 2) double budget,
            @ForAll Interpolation interpolation) {
        DoubleUnaryOperator divergence = divergence(seed, spread, interpolation);
        double alpha = AlphaSolver.largestWithin(divergence, budget);
        assertThat(alpha).isPositive().isLessThanOrEqualTo(1);
        assertThat(divergence.applyAsDouble(alpha)).isLessThanOrEqualTo(budget + ROUNDING);
        if (alpha < 1) {
            assertThat(divergence.applyAsDouble(Math.min(1, alpha + AlphaSolver.RESOLUTION)))
                    .isGreaterThanOrEqualTo(budget - ROUNDING);
        }
    }

    @Property(tries = 100)
    void aLargerBudgetNeverGivesLess(
            @ForAll @IntRange(max = 1_000_000) int seed,
            @ForAll @Scale(4) @DoubleRange(min = 1e-4, max = 1) double budget,
            @ForAll @DoubleRange(min = 1, max = 3) double factor,
            @ForAll Interpolation interpolation) {
        DoubleUnaryOperator divergence = divergence(seed, 2, interpolation);
        assertThat(AlphaSolver.largestWithin(divergence, budget * factor))
                .isGreaterThanOrEqualTo(AlphaSolver.largestWithin(divergence, budget) - AlphaSolver.RESOLUTION);
    }

    /** What the solver relies on. */
    @Property(tries = 200)
    void theDivergenceRisesWithAlphaBelowItsChord(
            @ForAll @IntRange(max = 1_000_000) int seed,
            @ForAll @DoubleRange(min = 0.1, max = 5) double spread,
            @ForAll @DoubleRange(min = 0, max = 1) double alpha,
            @ForAll Interpolation interpolation) {
        DoubleUnaryOperator divergence = divergence(seed, spread, interpolation);
        double whole = divergence.applyAsDouble(1);
        double part = divergence.applyAsDouble(alpha);
        assertThat(divergence.applyAsDouble(0)).isZero();
        assertThat(part).isLessThanOrEqualTo(alpha * whole + ROUNDING);
        assertThat(divergence.applyAsDouble(alpha / 2)).isLessThanOrEqualTo(part + ROUNDING);
    }

    @Test
    void ofAParabolaItFindsTheRoot() {
        assertThat(AlphaSolver.largestWithin(alpha -> alpha * alpha, 0.25))
                .isLessThanOrEqualTo(0.5)
                .isCloseTo(0.5, within(AlphaSolver.RESOLUTION));
    }

    @Test
    void aBudgetThatAllowsTheReferenceGivesIt() {
        assertThat(AlphaSolver.largestWithin(alpha -> alpha * alpha, 1)).isEqualTo(1);
        assertThat(AlphaSolver.largestWithin(alpha -> 0, 1e-9)).isEqualTo(1);
    }
}
