package dev.holdfast.loss;

import java.util.Arrays;

/** A categorical distribution by its log-probabilities, in double precision. */
final class Distribution {
    private final double[] logProbabilities;
    private final double logSumExp;

    private Distribution(double[] logProbabilities, double logSumExp) {
        this.logProbabilities = logProbabilities;
        this.logSumExp = logSumExp;
    }

    /** softmax(logits / temperature). */
    static Distribution softmax(double[] logits, double temperature) {
        double[] scaled = Arrays.stream(logits).map(z -> z / temperature).toArray();
        double normaliser = logSumExp(scaled);
        return new Distribution(Arrays.stream(scaled).map(z -> z - normaliser).toArray(), normaliser);
    }

    /** log Σ exp(values). */
    static double logSumExp(double[] values) {
        double largest =
                Arrays.stream(values).filter(z -> !Double.isNaN(z)).max().orElse(Double.NaN);
        return largest
                + Math.log(Arrays.stream(values).map(z -> Math.exp(z - largest)).sum());
    }

    /** (1 - weight) a + weight b. */
    static Distribution mixture(Distribution a, Distribution b, double weight) {
        if (weight == 0) {
            return a;
        }
        if (weight == 1) {
            return b;
        }
        double[] mixed = new double[a.size()];
        for (int v = 0; v < mixed.length; v++) {
            double first = a.logProbabilities[v];
            double second = b.logProbabilities[v];
            // Equal sides give that very number, so that a student equal to its anchor has no gradient at all.
            mixed[v] = first == second ? first : logMixture(first, second, weight);
        }
        return new Distribution(mixed, 0);
    }

    /** log((1 - weight) e^first + weight e^second), relative to the larger part, for both may underflow. */
    private static double logMixture(double first, double second, double weight) {
        return second > first
                ? second + Math.log1p((1 - weight) * Math.expm1(first - second))
                : first + Math.log1p(weight * Math.expm1(second - first));
    }

    int size() {
        return logProbabilities.length;
    }

    double logProbability(int column) {
        return logProbabilities[column];
    }

    double probability(int column) {
        return Math.exp(logProbabilities[column]);
    }

    /** log Σ exp of the logits over the temperature that the distribution was made of. */
    double logSumExp() {
        return logSumExp;
    }

    /** KL(this ‖ other) in nats; a column without mass counts nothing. */
    double divergenceFrom(Distribution other) {
        double sum = 0;
        for (int v = 0; v < size(); v++) {
            double p = probability(v);
            sum += p == 0 ? 0 : p * (logProbabilities[v] - other.logProbabilities[v]);
        }
        return sum < 0 ? 0 : sum;
    }

    /** Entropy in nats. */
    double entropy() {
        double sum = 0;
        for (int v = 0; v < size(); v++) {
            double p = probability(v);
            sum -= p == 0 ? 0 : p * logProbabilities[v];
        }
        return sum;
    }

    /** p (log p - log m - KL(p ‖ m)): the gradient of KL(p ‖ m) by p's logits; 0 where that is infinite. */
    double[] gradientOfDivergenceFrom(Distribution other) {
        double[] gradient = new double[size()];
        double mean = divergenceFrom(other);
        for (int v = 0; v < gradient.length && !Double.isInfinite(mean); v++) {
            double p = probability(v);
            gradient[v] = p == 0 ? 0 : p * (logProbabilities[v] - other.logProbabilities[v] - mean);
        }
        return gradient;
    }
}
