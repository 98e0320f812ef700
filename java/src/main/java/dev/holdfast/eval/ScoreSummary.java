package dev.holdfast.eval;

import java.util.OptionalDouble;

/**
 * The scores of all rows together.
 *
 * @param rows rows scored
 * @param cut rows that were longer than the limit and lost their end
 * @param withoutResponse rows that have no response token, or lost all of them by being cut
 * @param tokens response tokens scored
 * @param logprobSum sum of their log-probabilities, in nats
 */
public record ScoreSummary(long rows, long cut, long withoutResponse, long tokens, double logprobSum) {
    static final ScoreSummary EMPTY = new ScoreSummary(0, 0, 0, 0, 0);

    ScoreSummary plus(RowScore row, boolean wasCut) {
        return new ScoreSummary(
                rows + 1,
                cut + (wasCut ? 1 : 0),
                withoutResponse + (row.tokens() == 0 ? 1 : 0),
                tokens + row.tokens(),
                logprobSum + row.logprobSum());
    }

    /** What a response token costs on average: minus its mean log-probability, in nats; empty without tokens. */
    public OptionalDouble natsPerToken() {
        // Subtracted from 0 rather than negated, for a certain answer costs 0 and not -0.
        return tokens == 0 ? OptionalDouble.empty() : OptionalDouble.of(0 - logprobSum / tokens);
    }
}
