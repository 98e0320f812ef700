package dev.holdfast.train;

import java.nio.file.Path;
import org.slf4j.LoggerFactory;

/** Hears what a run does, on the thread that trains. Methods do nothing unless overridden, but for
 * {@link #warned}. */
public interface TrainingListener {
    /** A listener that hears nothing. */
    TrainingListener NONE = new TrainingListener() {};

    /** The run is about to begin. */
    default void planned(TrainingPlan plan) {}

    /**
     * Work between the steps begins that may take minutes on a large model, such as "measuring drift on 64 rows"; the next call of any
     * method comes when it is done or other work begins.
     */
    default void began(String work) {}

    /** Another block of a cache is on the disk. */
    default void caching(CacheProgress progress) {}

    /** All hidden states of a model on the training rows are on the disk. */
    default void cached(CachedModel model) {}

    /** A checkpoint of so many bytes is about to be written. */
    default void saving(Path checkpoint, long sizeBytes) {}

    /** An optimizer step is done. */
    default void stepped(StepMetrics metrics) {}

    /** The held-out rows were evaluated. */
    default void evaluated(EvaluationMetrics metrics) {}

    /** The rows of what should not be forgotten were evaluated. */
    default void retentionEvaluated(RetentionMetrics metrics) {}

    /** A {@code kl_budget} has chosen the weight of the reference for an outer iteration. */
    default void alphaChosen(AlphaEntry entry) {}

    /** Drift was measured: where an outer iteration of an anchored run ends, and where held-out or retention rows are evaluated. */
    default void measured(LedgerEntry entry) {}

    /** A checkpoint is complete. */
    default void saved(Path checkpoint) {}

    /** Something is not as it should be, but the run goes on, such as from an older checkpoint; logged unless overridden. */
    default void warned(String problem) {
        LoggerFactory.getLogger(TrainingListener.class).warn(problem);
    }
}
