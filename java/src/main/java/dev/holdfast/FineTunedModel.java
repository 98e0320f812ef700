package dev.holdfast;

import dev.holdfast.exporter.Packager;
import dev.holdfast.train.TrainingOutcome;
import java.nio.file.Path;

/**
 * What a job left: a run directory whose last checkpoint is the model.
 *
 * @param run the run's directory
 * @param outcome how the run ended
 */
public record FineTunedModel(Path run, TrainingOutcome outcome) {
    /**
     * Writes the folder that deployments load: decoder with cache, tokenizer, {@code genai_config.json}.
     *
     * @param target a folder that does not exist yet, or is empty
     * @return the folder, which plain ONNX Runtime and onnxruntime-genai run
     * @throws dev.holdfast.error.HoldfastException if the run has no checkpoint, or the folder cannot be written
     */
    public Path packageTo(Path target) {
        return Packager.of(run).packageTo(target).path();
    }
}
