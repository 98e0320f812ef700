package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OptimizerGroup;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first step of an anchored run's second iteration. */
class RestartTest {
    private static final int STEPS_OF_AN_ITERATION = 6;

    /** (1 − β₂) / (1 − β₁)² by the defaults of AdamW. */
    private static final double FRESH_QUOTIENT = 0.001 / (0.1 * 0.1);

    /** The quotient's float32: two roundings of each moment, of 6e-8 each, the first one squared, and those of the factors. */
    private static final double ROUNDING = 1e-6;

    /** Second moments below it lose digits to the lower end of float32. */
    private static final double SMALLEST = 1e-30;

    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private Path run(boolean restart) {
        TrainingConfig config = runs.anchor(folder.resolve("run"))
                .with(ConfigKeys.RESTART_OPTIMIZER, restart)
                .with(ConfigKeys.WARMUP_RATIO, 0.0)
                .with(ConfigKeys.MAX_STEPS, STEPS_OF_AN_ITERATION + 1L);
        return TinyRuns.run(config).run();
    }

    private static OrtCheckpoint after(Path run, int steps) {
        return OrtCheckpoint.read(run.resolve("checkpoint-" + steps + "/checkpoint"));
    }

    /** v / m² of every element; with m = (1 − β₁)·g and v = (1 − β₂)·g² after one step, it does not depend on the gradient g. */
    private static List<Double> quotients(OrtCheckpoint checkpoint) {
        List<Double> quotients = new ArrayList<>();
        for (List<CheckpointTensor> moments : group(checkpoint).moments().values()) {
            float[] first = checkpoint.values(moments.get(0)).toFloatArray();
            float[] second = checkpoint.values(moments.get(1)).toFloatArray();
            for (int i = 0; i < first.length; i++) {
                if (second[i] > SMALLEST) {
                    quotients.add(second[i] / ((double) first[i] * first[i]));
                }
            }
        }
        return quotients;
    }

    private static OptimizerGroup<CheckpointTensor> group(OrtCheckpoint checkpoint) {
        return checkpoint.optimizerGroups().get(0);
    }

    @Test
    void aRestartedOptimizerRemembersNothingOfTheIterationBefore() {
        Path run = run(true);
        OrtCheckpoint checkpoint = after(run, STEPS_OF_AN_ITERATION + 1);
        assertThat(group(checkpoint).step()).isEqualTo(1);
        assertThat(quotients(checkpoint)).hasSizeGreaterThan(1000).allSatisfy(quotient -> assertThat(quotient)
                .isCloseTo(FRESH_QUOTIENT, within(ROUNDING)));
        double[] rates = TinyRuns.column(run, "learning_rate");
        assertThat(rates[STEPS_OF_AN_ITERATION]).isEqualTo(rates[0]).isEqualTo(3e-3);
    }

    @Test
    void withoutARestartMomentsAndRateGoOn() {
        Path run = run(false);
        OrtCheckpoint checkpoint = after(run, STEPS_OF_AN_ITERATION + 1);
        assertThat(group(checkpoint).step()).isEqualTo(STEPS_OF_AN_ITERATION + 1);
        assertThat(quotients(checkpoint))
                .anySatisfy(quotient -> assertThat(quotient).isNotCloseTo(FRESH_QUOTIENT, within(1e-3)));
        assertThat(TinyRuns.column(run, "learning_rate")[STEPS_OF_AN_ITERATION]).isLessThan(3e-3 / 10);
    }
}
