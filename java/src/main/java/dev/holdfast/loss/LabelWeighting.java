package dev.holdfast.loss;

/** The factor of a token's cross-entropy. */
public enum LabelWeighting {
    /** 1. */
    NONE(0),
    /**
     * The student's own probability of the label, held constant, as in dynamic fine-tuning.
     *
     * <p>Source: arXiv 2508.05629.
     */
    DFT(1);

    private final int code;

    LabelWeighting(int code) {
        this.code = code;
    }

    /** The code of {@code holdfast.h}, and of the operator {@code dev.holdfast:AnchorLoss}. */
    public int code() {
        return code;
    }
}
