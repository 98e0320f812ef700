package dev.holdfast.train;

import dev.holdfast.data.EncodedExamples;

/**
 * What became of the rows of a data set.
 *
 * @param rows rows that are trained on
 * @param tokens their tokens
 * @param responseTokens the tokens that are learnt
 * @param longestRow tokens of the longest row
 * @param cut rows that were longer than {@code max_length} and lost their end
 * @param dropped rows left out, as too long or without a response token
 * @param lastTurnOnly conversations of which only the last assistant turn is learnt
 */
public record DataSummary(
        long rows, long tokens, long responseTokens, int longestRow, long cut, long dropped, long lastTurnOnly) {
    static DataSummary of(EncodedExamples examples) {
        return new DataSummary(
                examples.examples().size(),
                examples.tokens(),
                examples.responseTokens(),
                examples.examples().stream()
                        .mapToInt(example -> example.length())
                        .max()
                        .orElse(0),
                examples.cut(),
                examples.droppedAsTooLong() + examples.droppedWithoutResponse(),
                examples.lastTurnOnly());
    }
}
