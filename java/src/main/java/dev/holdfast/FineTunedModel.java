package dev.holdfast;

import dev.holdfast.train.TrainingOutcome;
import java.nio.file.Path;

/**
 * What a job left: a run directory whose last checkpoint is the model.
 *
 * @param run the run's directory
 * @param outcome how the run ended
 */
public record FineTunedModel(Path run, TrainingOutcome outcome) {}
