package dev.holdfast.eval.suite;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.RowScore;
import java.util.List;

/**
 * What a response token costs on average, in nats, and how sure that is.
 *
 * @param mean nats per token
 * @param standardError of the mean, rows being independent and tokens within a row not
 * @param tokens response tokens
 */
record MeanCost(double mean, double standardError, long tokens) {
    private static final double Z = 1.959963984540054;

    /** The ratio of all costs to all tokens, its error by linearisation over rows. Source: Cochran, Sampling Techniques, 6.3. */
    static MeanCost of(List<RowScore> rows) {
        long tokens = rows.stream().mapToLong(RowScore::tokens).sum();
        if (tokens == 0) {
            throw new InvalidInputException("perplexity: expected at least one token to weigh, got none");
        }
        double mean = -rows.stream().mapToDouble(RowScore::logprobSum).sum() / tokens;
        double squares = rows.stream()
                .mapToDouble(row -> -row.logprobSum() - mean * row.tokens())
                .map(deviation -> deviation * deviation)
                .sum();
        int count = rows.size();
        double variance = count < 2 ? Double.NaN : squares * count / (count - 1);
        return new MeanCost(mean, Math.sqrt(variance) / tokens, tokens);
    }

    Metric natsPerToken() {
        return metric(mean, low(), mean + Z * standardError);
    }

    Metric perplexity() {
        return metric(Math.exp(mean), Math.exp(low()), Math.exp(mean + Z * standardError));
    }

    private double low() {
        return Math.max(0, mean - Z * standardError);
    }

    /** A single row tells nothing of how rows differ. */
    private Metric metric(double value, double low, double high) {
        return Double.isNaN(standardError)
                ? new Metric(value, null, null, null, tokens)
                : new Metric(value, low, high, null, tokens);
    }
}
