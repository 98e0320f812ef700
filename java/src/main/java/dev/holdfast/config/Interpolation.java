package dev.holdfast.config;

/** How snapshot and reference are mixed to the anchor. */
public enum Interpolation {
    /** logit: z = (1 - alpha) z_snapshot + alpha z_reference, a geometric mean. */
    LOGIT(0),
    /** probability: q = (1 - alpha) p_snapshot + alpha p_reference, an arithmetic mean. */
    PROBABILITY(1);

    private final int code;

    Interpolation(int code) {
        this.code = code;
    }

    /** The code of {@code holdfast.h}, and of the operator {@code dev.holdfast:AnchorLoss}. */
    public int code() {
        return code;
    }
}
