package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Recognises what a row is by its fields. */
final class RowFormat {
    private static final String ACCEPTED =
            "expected prompt and completion, messages, text, or instruction and output (with or without input)";

    private RowFormat() {}

    /** A row that is JSON but none of the accepted kinds; the message goes behind the place of the row. */
    static final class UnrecognisedRowException extends Exception {
        UnrecognisedRowException(String message) {
            super(message);
        }
    }

    static Example example(ObjectNode row) throws UnrecognisedRowException {
        if (row.has("prompt") && row.has("completion")) {
            return promptCompletion(row);
        }
        if (row.has("messages")) {
            return new Example.Messages(messages(row, "messages"));
        }
        if (row.has("text")) {
            return new Example.Text(text(row, "text"));
        }
        if (row.has("instruction") && row.has("output")) {
            String input = row.path("input").isNull() || !row.has("input") ? "" : text(row, "input");
            return new Example.Instruction(text(row, "instruction"), input, text(row, "output"));
        }
        throw new UnrecognisedRowException(ACCEPTED + ", got " + fieldNames(row));
    }

    private static Example promptCompletion(ObjectNode row) throws UnrecognisedRowException {
        if (!row.get("prompt").isArray()) {
            return new Example.PromptCompletion(text(row, "prompt"), text(row, "completion"));
        }
        List<Message> messages = new ArrayList<>(messages(row, "prompt"));
        int firstResponse = messages.size();
        messages.addAll(messages(row, "completion"));
        return new Example.Messages(messages, firstResponse);
    }

    private static List<Message> messages(ObjectNode row, String field) throws UnrecognisedRowException {
        JsonNode list = row.get(field);
        if (!list.isArray() || list.isEmpty()) {
            throw new UnrecognisedRowException(
                    field + ": expected a list of messages with role and content, got " + JsonLines.describe(list));
        }
        List<Message> messages = new ArrayList<>();
        for (JsonNode message : list) {
            if (!message.path("role").isTextual()) {
                throw new UnrecognisedRowException(
                        field + ": expected messages with a role, got " + JsonLines.describe(message));
            }
            messages.add(new Message(message.get("role").textValue(), content(field, message)));
        }
        return messages;
    }

    /** A text, or a list of parts of type text as multimodal data has them. */
    private static String content(String field, JsonNode message) throws UnrecognisedRowException {
        JsonNode content = message.path("content");
        if (content.isTextual()) {
            return unicode(field, content.textValue());
        }
        StringBuilder joined = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("text").isTextual()) {
                throw new UnrecognisedRowException(field + ": expected text content, got " + JsonLines.describe(part));
            }
            joined.append(part.path("text").textValue());
        }
        if (!content.isArray()) {
            throw new UnrecognisedRowException(field + ": expected text content, got " + JsonLines.describe(message));
        }
        return unicode(field, joined.toString());
    }

    private static String text(ObjectNode row, String field) throws UnrecognisedRowException {
        JsonNode value = row.get(field);
        if (!value.isTextual()) {
            throw new UnrecognisedRowException(field + ": expected a text, got " + JsonLines.describe(value));
        }
        return unicode(field, value.textValue());
    }

    private static String unicode(String field, String text) throws UnrecognisedRowException {
        if (UnicodeText.firstUnpairedSurrogate(text) >= 0) {
            throw new UnrecognisedRowException(field + ": expected Unicode, got an escape of half a surrogate pair");
        }
        return text;
    }

    private static String fieldNames(ObjectNode row) {
        if (row.isEmpty()) {
            return "no fields";
        }
        StringBuilder names = new StringBuilder("the fields");
        for (Iterator<String> iterator = row.fieldNames(); iterator.hasNext(); ) {
            names.append(' ').append(iterator.next()).append(iterator.hasNext() ? "," : "");
        }
        return names.toString();
    }
}
