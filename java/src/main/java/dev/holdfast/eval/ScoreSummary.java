package dev.holdfast.eval;

/**
 * The scores of all rows together.
 *
 * @param rows rows scored
 * @param cut rows that were longer than the limit and lost their end
 * @param tokens response tokens scored
 * @param logprobSum sum of their log-probabilities, in nats
 */
public record ScoreSummary(long rows, long cut, long tokens, double logprobSum) {
    static final ScoreSummary EMPTY = new ScoreSummary(0, 0, 0, 0);

    ScoreSummary plus(RowScore row, boolean wasCut) {
        return new ScoreSummary(rows + 1, cut + (wasCut ? 1 : 0), tokens + row.tokens(), logprobSum + row.logprobSum());
    }

    /** The mean log-probability of a response token, in nats; 0 without tokens. */
    public double meanLogprob() {
        return tokens == 0 ? 0 : logprobSum / tokens;
    }
}
