package dev.holdfast.loss;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;

/**
 * What is minimised: {@code kdWeight · D(q, p_s) + ceWeight · ω · (-log p_s(y))}.
 *
 * <p>Student, snapshot and reference are all taken at the temperature, in both terms and in ω. Gradients carry 1 / temperature.
 *
 * @param divergence the divergence D between anchor q and student p_s
 * @param interpolation how snapshot and reference are mixed to the anchor
 * @param labelWeighting the factor ω
 * @param temperature greater than 0
 * @param kdWeight weight of the divergence, at least 0
 * @param ceWeight weight of the cross-entropy on the labels, at least 0
 * @param beta weight of the anchor in the middle distribution of JSD, between 0 and 1; not read otherwise
 */
public record AnchorLossOptions(
        Divergence divergence,
        Interpolation interpolation,
        LabelWeighting labelWeighting,
        float temperature,
        float kdWeight,
        float ceWeight,
        float beta) {

    public AnchorLossOptions {
        require(
                temperature > 0 && temperature < Float.POSITIVE_INFINITY,
                "temperature",
                "a finite number > 0",
                temperature);
        require(kdWeight >= 0 && kdWeight < Float.POSITIVE_INFINITY, "kdWeight", "a finite number >= 0", kdWeight);
        require(ceWeight >= 0 && ceWeight < Float.POSITIVE_INFINITY, "ceWeight", "a finite number >= 0", ceWeight);
        require(divergence != Divergence.JSD || beta > 0 && beta < 1, "beta", "(0, 1)", beta);
    }

    private static void require(boolean holds, String name, String expected, float got) {
        if (!holds) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", got " + got);
        }
    }

    /** Forward KL to the anchor alone, at temperature 1: the method's own loss. */
    public static AnchorLossOptions anchored(Interpolation interpolation) {
        return new AnchorLossOptions(Divergence.FORWARD_KL, interpolation, LabelWeighting.NONE, 1, 1, 0, 0.5f);
    }
}
