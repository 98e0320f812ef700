package dev.holdfast.train;

import dev.holdfast.data.EncodedExamples;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
    /** What a user may not expect of the rows, a sentence each. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        if (cut > 0) {
            warnings.add(format("%,d rows longer than max_length were cut (--on_too_long drop leaves them out)", cut));
        }
        if (dropped > 0) {
            warnings.add(format("%,d rows were left out: too long, or no response token within max_length", dropped));
        }
        if (lastTurnOnly > 0) {
            warnings.add(format(
                    "of %,d conversations only the last answer is learnt: the chat template rewrites earlier ones",
                    lastTurnOnly));
        }
        return warnings;
    }

    private static String format(String pattern, long count) {
        return String.format(Locale.ROOT, pattern, count);
    }

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
