package dev.holdfast.config;

/** What is minimised between the anchor q and the student p. */
public enum Divergence {
    /** KL(q ‖ p), the method's own. */
    FORWARD_KL,
    /** KL(p ‖ q). */
    REVERSE_KL,
    /** beta KL(q ‖ m) + (1 - beta) KL(p ‖ m) with m = beta q + (1 - beta) p. */
    JSD
}
