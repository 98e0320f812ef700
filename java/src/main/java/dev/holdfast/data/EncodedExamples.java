package dev.holdfast.data;

import java.util.List;

/**
 * All rows of a data set as token ids, and what happened to them on the way.
 *
 * @param examples the rows that remain, in file order; at least one
 * @param rows rows read
 * @param cut rows that were longer than the limit and lost their end
 * @param droppedAsTooLong rows that were longer than the limit and left out
 * @param droppedWithoutResponse rows left out because no token of them is learnt
 * @param lastTurnOnly conversations of which only the last assistant turn is learnt, because the chat template renders earlier turns
 *     differently once later ones follow
 */
public record EncodedExamples(
        List<EncodedExample> examples,
        long rows,
        long cut,
        long droppedAsTooLong,
        long droppedWithoutResponse,
        long lastTurnOnly) {
    public EncodedExamples {
        examples = List.copyOf(examples);
    }

    /** How many tokens the remaining rows learn. */
    public long responseTokens() {
        return examples.stream().mapToLong(EncodedExample::responseTokens).sum();
    }

    /** How many tokens the remaining rows have. */
    public long tokens() {
        return examples.stream().mapToLong(EncodedExample::length).sum();
    }
}
