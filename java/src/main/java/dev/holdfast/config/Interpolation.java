package dev.holdfast.config;

/** How snapshot and reference are mixed to the anchor. */
public enum Interpolation {
    /** logit: z = (1 - alpha) z_snapshot + alpha z_reference, a geometric mean. */
    LOGIT,
    /** probability: q = (1 - alpha) p_snapshot + alpha p_reference, an arithmetic mean. */
    PROBABILITY
}
