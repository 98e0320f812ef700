package dev.holdfast.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a run ended.
 *
 * @param run the run's directory
 * @param checkpoint the last checkpoint; none if the run was stopped before its first step
 * @param step optimizer steps done
 * @param finished whether all steps are done; otherwise the run was asked to stop and can be resumed
 * @param last the metrics of the last step of this session; none if it made none
 */
public record TrainingOutcome(
        Path run, Optional<Path> checkpoint, int step, boolean finished, Optional<StepMetrics> last) {}
