package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
    /** A few units in the last place of numbers near 1. */
    private static final double ROUNDING = 1e-15;

    @Test
    void cosineRisesThenFollowsHalfAWave() {
        var schedule = new LearningRateSchedule(ScheduleType.COSINE, 1, 10, 2);
        double[] byHand = {
            0,
            0.5,
            1,
            0.9619397662556434,
            0.8535533905932737,
            0.6913417161825449,
            0.5,
            0.3086582838174551,
            0.1464466094067262,
            0.0380602337443566
        };
        for (int step = 0; step < byHand.length; step++) {
            assertThat(schedule.at(step)).as("step %d", step).isCloseTo(byHand[step], within(ROUNDING));
        }
        assertThat(schedule.at(10)).isZero();
        assertThat(schedule.at(11)).isZero();
    }

    @Test
    void linearRisesThenFallsToZero() {
        var schedule = new LearningRateSchedule(ScheduleType.LINEAR, 2, 6, 2);
        double[] byHand = {0, 1, 2, 1.5, 1, 0.5, 0, 0};
        for (int step = 0; step < byHand.length; step++) {
            assertThat(schedule.at(step)).as("step %d", step).isEqualTo(byHand[step]);
        }
    }

    @Test
    void constantStaysAtThePeakFromTheFirstStep() {
        var schedule = new LearningRateSchedule(ScheduleType.CONSTANT, 1e-5, 10, 3);
        assertThat(schedule.at(0)).isEqualTo(1e-5);
        assertThat(schedule.at(99)).isEqualTo(1e-5);
    }

    @Test
    void warmUpStepsAreRoundedUp() {
        TrainingConfig config = TrainingConfig.of(Job.SFT).with(ConfigKeys.WARMUP_RATIO, 0.03);
        assertThat(LearningRateSchedule.of(config, 10).warmupSteps()).isEqualTo(1);
        assertThat(LearningRateSchedule.of(config, 101).warmupSteps()).isEqualTo(4);
        assertThat(LearningRateSchedule.of(config.with(ConfigKeys.WARMUP_RATIO, 0.0), 10)
                        .warmupSteps())
                .isZero();
    }

    @Test
    void aWarmUpOfAllStepsNeverDividesByZero() {
        var schedule = new LearningRateSchedule(ScheduleType.COSINE, 1, 4, 4);
        assertThat(schedule.at(3)).isEqualTo(0.75);
        assertThat(schedule.at(4)).isEqualTo(1);
    }

    @Test
    void nonsenseIsRefused() {
        assertThatThrownBy(() -> new LearningRateSchedule(ScheduleType.LINEAR, 1, 0, 0))
                .hasMessage("totalSteps: expected at least 1, got 0");
        assertThatThrownBy(() -> new LearningRateSchedule(ScheduleType.LINEAR, Double.NaN, 1, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void stepsAreCountedAsPassesRoundedUpTwice() {
        TrainingConfig sft = TrainingConfig.of(Job.SFT).with(ConfigKeys.GRADIENT_ACCUMULATION_STEPS, 4L);
        assertThat(TrainingSteps.of(sft, 100)).isEqualTo(new TrainingSteps(4, 12, 12));
        assertThat(TrainingSteps.of(sft, 1)).isEqualTo(new TrainingSteps(1, 3, 3));
        assertThat(TrainingSteps.of(sft.with(ConfigKeys.MAX_STEPS, 20L), 100).total())
                .isEqualTo(20);
        assertThat(TrainingSteps.of(sft.with(ConfigKeys.MAX_STEPS, -1L), 100).total())
                .isEqualTo(12);
    }

    @Test
    void anchoredStepsRepeatForEveryIteration() {
        TrainingConfig anchor = TrainingConfig.of(Job.ANCHOR);
        TrainingSteps steps = TrainingSteps.of(anchor, 11_870);
        assertThat(steps).isEqualTo(new TrainingSteps(1484, 7420, 37_100));
        assertThat(steps.iterations()).isEqualTo(5);
        TrainingSteps cut = TrainingSteps.of(anchor.with(ConfigKeys.MAX_STEPS, 7_421L), 11_870);
        assertThat(cut).isEqualTo(new TrainingSteps(1484, 7420, 7_421));
        assertThat(cut.iterations()).isEqualTo(2);
        assertThatThrownBy(() -> TrainingSteps.of(anchor.with(ConfigKeys.INNER_EPOCHS, 2_000_000_000L), 11_870))
                .hasMessageContaining("take fewer epochs");
    }
}
