package dev.holdfast.config;

/** What is minimised between the anchor q and the student p. */
public enum Divergence {
    /** KL(q ‖ p), the method's own. */
    FORWARD_KL(0),
    /** KL(p ‖ q). */
    REVERSE_KL(1),
    /** beta KL(q ‖ m) + (1 - beta) KL(p ‖ m) with m = beta q + (1 - beta) p. */
    JSD(2);

    private final int code;

    Divergence(int code) {
        this.code = code;
    }

    /** The code of {@code holdfast.h}, and of the operator {@code dev.holdfast:AnchorLoss}. */
    public int code() {
        return code;
    }
}
