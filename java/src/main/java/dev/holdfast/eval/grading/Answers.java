package dev.holdfast.eval.grading;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the answer in a response. */
final class Answers {
    private static final Pattern WHOLE_NUMBER = Pattern.compile("(?<![\\d.])-?\\d{1,18}(?!\\d|\\.\\d)");
    private static final String THINKING_END = "</think>";
    private static final String TAG = "<answer>";
    private static final String TAG_END = "</answer>";
    private static final String BOX = "\\boxed";

    private Answers() {}

    /** What follows the reasoning; all of it where no reasoning is marked. */
    static String behindThinking(String response) {
        int end = response.lastIndexOf(THINKING_END);
        return end < 0 ? response : response.substring(end + THINKING_END.length());
    }

    /** What the last {@code <answer>} holds, closed or not. */
    static Optional<String> tagged(String response) {
        int start = response.lastIndexOf(TAG);
        if (start < 0) {
            return Optional.empty();
        }
        String rest = response.substring(start + TAG.length());
        int end = rest.indexOf(TAG_END);
        return Optional.of((end < 0 ? rest : rest.substring(0, end)).strip());
    }

    /** What the last {@code \boxed} holds: the text in its braces, which must be balanced, or up to the next blank or dollar. */
    static Optional<String> boxed(String response) {
        int place = response.lastIndexOf(BOX);
        if (place < 0) {
            return Optional.empty();
        }
        String rest = response.substring(place + BOX.length()).stripLeading();
        if (!rest.startsWith("{")) {
            return Optional.of(rest.split("[\\s$]", 2)[0]).filter(text -> !text.isEmpty());
        }
        int depth = 0;
        for (int i = 0; i < rest.length(); i++) {
            depth += rest.charAt(i) == '{' ? 1 : rest.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return Optional.of(rest.substring(1, i));
            }
        }
        return Optional.empty();
    }

    /** The last whole number of a text; parts of decimal numbers are none. */
    static Optional<Long> lastWhole(String text) {
        Optional<Long> last = Optional.empty();
        for (Matcher matcher = WHOLE_NUMBER.matcher(text); matcher.find(); ) {
            last = Optional.of(Long.parseLong(matcher.group()));
        }
        return last;
    }
}
