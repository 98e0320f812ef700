package dev.holdfast;

import dev.holdfast.artifact.DeployableFolder;
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
     * Writes the folder that plain ONNX Runtime and onnxruntime-genai load, from the last checkpoint.
     *
     * @param target a folder that does not exist yet, or is empty
     * @throws dev.holdfast.error.HoldfastException as {@link Packager#packageTo}
     */
    public DeployableFolder packageTo(Path target) {
        return Packager.of(run).packageTo(target);
    }
}
