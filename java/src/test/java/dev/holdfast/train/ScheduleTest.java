package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.ScheduleType;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
    /** A few units in the last place of numbers up to 1. */
    private static final double ROUNDING = 1e-15;

    /** Rates are shares of it. */
    private static final double PEAK = 1;

    /** Three iterations of four steps: two epochs of two batches each. */
    private static TrainingConfig config() {
        return TrainingConfig.of(Job.ANCHOR)
                .with(ConfigKeys.LEARNING_RATE, PEAK)
                .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 8L)
                .with(ConfigKeys.INNER_EPOCHS, 2L)
                .with(ConfigKeys.OUTER_ITERATIONS, 3L);
    }

    private static Schedule schedule(TrainingConfig config) {
        return new Schedule(config, TrainingSteps.of(config, 16));
    }

    private static void assertRates(TrainingConfig config, String byHand) {
        double[] expected = Arrays.stream(byHand.split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();
        Schedule schedule = schedule(config);
        assertThat(schedule.totalSteps()).isEqualTo(expected.length);
        assertThat(IntStream.range(0, expected.length).mapToDouble(schedule::learningRate))
                .usingElementComparator((a, b) -> Math.abs(a - b) <= ROUNDING ? 0 : Double.compare(a, b))
                .containsExactly(Arrays.stream(expected).boxed().toArray(Double[]::new));
    }

    /** An iteration of four steps warms up for a quarter of them; one that is cut to three for ⌈3/4⌉, to two for ⌈2/4⌉. */
    @ParameterizedTest(name = "{0}, {1} steps")
    @CsvSource({
        "LINEAR, 0, 0 1 0.6666666666666667 0.3333333333333333 "
                + "0 1 0.6666666666666667 0.3333333333333333 0 1 0.6666666666666667 0.3333333333333333",
        "COSINE, 0, 0 1 0.75 0.25 0 1 0.75 0.25 0 1 0.75 0.25",
        "CONSTANT, 0, 1 1 1 1 1 1 1 1 1 1 1 1",
        "LINEAR, 11, 0 1 0.6666666666666667 0.3333333333333333 0 1 0.6666666666666667 0.3333333333333333 0 1 0.5",
        "COSINE, 11, 0 1 0.75 0.25 0 1 0.75 0.25 0 1 0.5",
        "COSINE, 6, 0 1 0.75 0.25 0 1",
        "CONSTANT, 6, 1 1 1 1 1 1"
    })
    void ratesBeginAnewWithEveryIterationThatRestarts(ScheduleType type, long maxSteps, String byHand) {
        assertRates(
                config().with(ConfigKeys.LR_SCHEDULER_TYPE, type)
                        .with(ConfigKeys.WARMUP_RATIO, 0.25)
                        .with(ConfigKeys.MAX_STEPS, maxSteps),
                byHand);
    }

    /** Twelve steps or eleven, of which a quarter, rounded up, are three. */
    @ParameterizedTest(name = "{0}, {1} steps")
    @CsvSource({
        "LINEAR, 0, 0 0.3333333333333333 0.6666666666666667 1 0.8888888888888889 0.7777777777777778 0.6666666666666667 "
                + "0.5555555555555556 0.4444444444444444 0.3333333333333333 0.2222222222222222 0.1111111111111111",
        "COSINE, 0, 0 0.3333333333333333 0.6666666666666667 1 0.9698463103929542 0.883022221559489 0.75 "
                + "0.5868240888334652 0.4131759111665348 0.25 0.116977778440511 0.0301536896070458",
        "CONSTANT, 0, 1 1 1 1 1 1 1 1 1 1 1 1",
        "LINEAR, 11, 0 0.3333333333333333 0.6666666666666667 1 0.875 0.75 0.625 0.5 0.375 0.25 0.125"
    })
    void withoutARestartOneCourseSpansAllIterations(ScheduleType type, long maxSteps, String byHand) {
        assertRates(
                config().with(ConfigKeys.RESTART_OPTIMIZER, false)
                        .with(ConfigKeys.LR_SCHEDULER_TYPE, type)
                        .with(ConfigKeys.WARMUP_RATIO, 0.25)
                        .with(ConfigKeys.MAX_STEPS, maxSteps),
                byHand);
    }

    @Test
    void withoutAWarmUpEveryIterationBeginsAtThePeak() {
        TrainingConfig config =
                config().with(ConfigKeys.LR_SCHEDULER_TYPE, ScheduleType.LINEAR).with(ConfigKeys.WARMUP_RATIO, 0.0);
        assertRates(config, "1 0.75 0.5 0.25 1 0.75 0.5 0.25 1 0.75 0.5 0.25");
    }

    @Test
    void supervisedFineTuningHasOneCourse() {
        TrainingConfig config = config().as(Job.SFT)
                .with(ConfigKeys.NUM_TRAIN_EPOCHS, 2L)
                .with(ConfigKeys.LR_SCHEDULER_TYPE, ScheduleType.LINEAR)
                .with(ConfigKeys.WARMUP_RATIO, 0.25);
        assertRates(config, "0 1 0.6666666666666667 0.3333333333333333");
    }

    @Test
    void everyStepHasItsPlaceInEpochAndIteration() {
        Schedule schedule = schedule(config().with(ConfigKeys.MAX_STEPS, 11L));
        assertThat(IntStream.range(0, 11).mapToLong(schedule::epoch))
                .containsExactly(0L, 0L, 1L, 1L, 2L, 2L, 3L, 3L, 4L, 4L, 5L);
        assertThat(IntStream.range(0, 11).map(schedule::batch)).containsExactly(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0);
        assertThat(IntStream.range(0, 11).map(schedule::iteration)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2);
        assertThat(IntStream.range(0, 11).map(schedule::iterationStart))
                .containsExactly(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8);
        assertThat(IntStream.range(0, 11).filter(schedule::beginsIteration)).containsExactly(0, 4, 8);
        assertThat(IntStream.rangeClosed(1, 11).filter(schedule::endsIteration)).containsExactly(4, 8, 11);
        assertThat(schedule.epochsDone(11)).isCloseTo(5.5, within(ROUNDING));
    }
}
