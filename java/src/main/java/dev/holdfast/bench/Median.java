package dev.holdfast.bench;

import java.util.List;

/** The middle of a list of numbers. */
final class Median {
    private Median() {}

    /** The mean of the two middle ones where their count is even. */
    static double of(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
