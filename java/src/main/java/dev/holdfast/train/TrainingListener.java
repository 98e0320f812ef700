package dev.holdfast.train;

import java.nio.file.Path;

/** Hears what a run does, on the thread that trains. All methods do nothing unless overridden. */
public interface TrainingListener {
    /** A listener that hears nothing. */
    TrainingListener NONE = new TrainingListener() {};

    /** The run is about to begin. */
    default void planned(TrainingPlan plan) {}

    /** An optimizer step is done. */
    default void stepped(StepMetrics metrics) {}

    /** The held-out rows were evaluated. */
    default void evaluated(EvaluationMetrics metrics) {}

    /** An outer iteration of an anchored run ended. */
    default void measured(LedgerEntry entry) {}

    /** A checkpoint is complete. */
    default void saved(Path checkpoint) {}
}
