package dev.holdfast.chart;

/**
 * A number at a place.
 *
 * @param x the place, finite
 * @param y the number; one that is not finite is a gap
 */
public record Point(double x, double y) {
    /** Whether there is something to draw. */
    boolean isFinite() {
        return Double.isFinite(y);
    }
}
