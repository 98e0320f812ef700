package dev.holdfast;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Interpolation;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import java.nio.file.Path;

/**
 * The settings of a fine-tuning job, written as a sentence; what is not said has its default. Immutable.
 *
 * <p>{@code FineTuning.anchored(artifact, sft).to(run).alpha(0.5).iterations(5)}
 */
public final class FineTuning {
    private final TrainingConfig config;

    private FineTuning(TrainingConfig config) {
        this.config = config;
    }

    /** Supervised fine-tuning of an artifact. */
    public static FineTuning supervised(ArtifactDirectory artifact) {
        return new FineTuning(TrainingConfig.of(Job.SFT)).with(ConfigKeys.ARTIFACT, artifact.path());
    }

    /** Anchored Learning of an artifact towards a reference that was fine-tuned already. */
    public static FineTuning anchored(ArtifactDirectory artifact, FineTunedModel reference) {
        return anchored(artifact, reference.run());
    }

    /** Anchored Learning of an artifact towards a reference: a run, a checkpoint or an artifact. */
    public static FineTuning anchored(ArtifactDirectory artifact, Path reference) {
        return new FineTuning(TrainingConfig.of(Job.ANCHOR))
                .with(ConfigKeys.ARTIFACT, artifact.path())
                .with(ConfigKeys.REFERENCE, reference);
    }

    /** The settings of a configuration that was read from a file or flags. */
    public static FineTuning of(TrainingConfig config) {
        return new FineTuning(config);
    }

    /**
     * Any setting by its key.
     *
     * @throws IllegalArgumentException if the job does not take the key or its range does not allow the value
     */
    public <T> FineTuning with(ConfigKey<T> key, T value) {
        return new FineTuning(config.with(key, value));
    }

    /** The directory of the run, which must be new unless the run is resumed. */
    public FineTuning to(Path run) {
        return with(ConfigKeys.OUT, run);
    }

    /** Continues the run in the directory, or begins it there. */
    public FineTuning resume() {
        return with(ConfigKeys.RESUME, true);
    }

    /** Peak learning rate, at least 0. */
    public FineTuning learningRate(double rate) {
        return with(ConfigKeys.LEARNING_RATE, rate);
    }

    /** Passes over the rows in supervised fine-tuning, at least 1. */
    public FineTuning epochs(int count) {
        return with(ConfigKeys.NUM_TRAIN_EPOCHS, (long) count);
    }

    /** Rows of one forward and backward pass, at least 1. */
    public FineTuning batchSize(int rows) {
        return with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, (long) rows);
    }

    /** Most tokens of a row, prompt and response together, at least 2. */
    public FineTuning maxLength(int tokens) {
        return with(ConfigKeys.MAX_LENGTH, (long) tokens);
    }

    /** Most optimizer steps, at least 1. */
    public FineTuning maxSteps(int steps) {
        return with(ConfigKeys.MAX_STEPS, (long) steps);
    }

    /** Weight of the reference in the anchor, in [0, 1]: 0 = snapshot, 1 = reference. */
    public FineTuning alpha(double weight) {
        return with(ConfigKeys.ALPHA, weight);
    }

    /** How snapshot and reference are mixed. */
    public FineTuning interpolation(Interpolation interpolation) {
        return with(ConfigKeys.INTERPOLATION, interpolation);
    }

    /** Outer iterations of an anchored run, each with a snapshot of its own, at least 1. */
    public FineTuning iterations(int count) {
        return with(ConfigKeys.OUTER_ITERATIONS, (long) count);
    }

    /** All settings. */
    public TrainingConfig config() {
        return config;
    }
}
