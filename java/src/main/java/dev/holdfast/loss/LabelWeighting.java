package dev.holdfast.loss;

/** The factor of a token's cross-entropy. */
public enum LabelWeighting {
    /** 1. */
    NONE,
    /**
     * The student's own probability of the label, held constant, as in dynamic fine-tuning.
     *
     * <p>Source: arXiv 2508.05629.
     */
    DFT
}
