package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.weights.LoraConfig;
import java.nio.file.Path;
import java.util.List;

/** What a run needs of packages that training does not see: those that make artifacts and deployable models. */
public interface TrainingSupport {
    /** Support for runs of artifacts as they were exported. */
    TrainingSupport NONE = new TrainingSupport() {};

    /**
     * Makes sure that an artifact can be given adapters, before a run leaves anything.
     *
     * @throws InvalidConfigurationException if it lacks a layer that they are for
     */
    default void requireAdaptable(ArtifactDirectory full, LoraConfig lora) {
        throw new InvalidConfigurationException(
                List.of("lora_r: expected an artifact that was exported with LoRA, got one without: " + full.path()));
    }

    /**
     * Makes of an artifact one that trains low-rank adapters.
     *
     * @param full an artifact whose weights are all trained
     * @param seed of the adapters' first values
     * @param target where to; nothing is there yet
     */
    default ArtifactDirectory adapt(ArtifactDirectory full, LoraConfig lora, long seed, Path target) {
        throw new IllegalStateException("adapt: expected to be asked only for an artifact that can be given adapters");
    }

    /** Called when all checkpoints of a run are written, while its directory is still this job's alone. */
    default void finished(TrainingOutcome outcome) {}
}
