package dev.holdfast.train;

import java.util.function.DoubleUnaryOperator;

/** Finds the weight of the reference that spends a budget of divergence. */
final class AlphaSolver {
    /** How near the solution is to the exact one; a run with a weight that differs by so little cannot be told from it. */
    static final double RESOLUTION = 1.0 / 4096;

    private AlphaSolver() {}

    /**
     * The largest α in [0, 1] with {@code divergence(α) <= budget}, to within {@link #RESOLUTION} below it.
     *
     * <p>KL(p ‖ q) rises with α, is convex in it and 0 at α = 0, for logit and probability interpolation alike. So the chord to α = 1 lies
     * above the curve, and α = budget / divergence(1) is within the budget from the start.
     *
     * @param divergence KL(snapshot ‖ anchor) by α, in nats; rising, convex, 0 at 0
     * @param budget above 0, in nats
     */
    static double largestWithin(DoubleUnaryOperator divergence, double budget) {
        double whole = divergence.applyAsDouble(1);
        if (whole <= budget) {
            return 1;
        }
        double within = budget / whole;
        double beyond = 1;
        while (beyond - within > RESOLUTION) {
            double middle = (within + beyond) / 2;
            if (divergence.applyAsDouble(middle) <= budget) {
                within = middle;
            } else {
                beyond = middle;
            }
        }
        return within;
    }
}
