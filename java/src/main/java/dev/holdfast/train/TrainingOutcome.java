package dev.holdfast.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a run ended.
 *
 * @param run the run's directory
 * @param checkpoint the last checkpoint, of a run that a budget ended the last within it; none if there is none
 * @param step optimizer steps done
 * @param finished whether all steps are done within the budgets of drift; otherwise the run was asked to stop and can be resumed, or a
 *     budget ended it
 * @param breach the budget that ended it; none if none did
 * @param last the metrics of the last step of this session; none if it made none
 */
public record TrainingOutcome(
        Path run,
        Optional<Path> checkpoint,
        int step,
        boolean finished,
        Optional<BudgetBreach> breach,
        Optional<StepMetrics> last) {}
