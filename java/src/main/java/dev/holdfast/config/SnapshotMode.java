package dev.holdfast.config;

/** What stands for the model at the start of an outer iteration. */
public enum SnapshotMode {
    /** Its frozen weights, exact. */
    MODEL,
    /** The detached logits of the step at hand: cheaper, an approximation. */
    CURRENT
}
