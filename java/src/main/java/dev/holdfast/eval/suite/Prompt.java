package dev.holdfast.eval.suite;

import dev.holdfast.data.Message;
import java.util.List;

/**
 * A question in the two forms that models take.
 *
 * @param messages for a chat template
 * @param text as it is, for a model that continues texts
 */
record Prompt(List<Message> messages, String text) {
    /** A question that is the same in both forms. */
    static Prompt of(String text) {
        return new Prompt(List.of(new Message("user", text)), text);
    }
}
