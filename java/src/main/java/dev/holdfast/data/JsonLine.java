package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A JSON object with its place in a file, and readers of its fields whose faults name that place.
 *
 * @param file the file
 * @param line the number of the line, from 1
 * @param index the number of the object among the file's objects, from 0
 * @param object what the line holds
 */
public record JsonLine(Path file, long line, long index, ObjectNode object) {
    /** The place for messages, for example {@code train.jsonl:318}. */
    public String where() {
        return file + ":" + line;
    }

    /** A failure that names this line. */
    public MalformedFileException malformed(String problem) {
        return MalformedFileException.atLine(file, line, problem);
    }

    /** Whether a field is there and not null. */
    public boolean has(String field) {
        return object.hasNonNull(field);
    }

    /**
     * A field that holds a text.
     *
     * @throws MalformedFileException if it is missing, no text, or no Unicode
     */
    public String text(String field) {
        return text(field, object.path(field));
    }

    private String text(String field, JsonNode value) {
        if (!value.isTextual()) {
            throw expected(field, "a text", value);
        }
        if (UnicodeText.firstUnpairedSurrogate(value.textValue()) >= 0) {
            throw malformed(field + ": expected Unicode, got an escape of half a surrogate pair");
        }
        return value.textValue();
    }

    /**
     * A field that holds a list of texts.
     *
     * @throws MalformedFileException if it is missing, no list, or holds something else
     */
    public List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        list(field).forEach(item -> texts.add(text(field, item)));
        return texts;
    }

    /**
     * A field that holds a list.
     *
     * @throws MalformedFileException if it is missing or no list
     */
    public JsonNode list(String field) {
        JsonNode value = object.path(field);
        if (!value.isArray()) {
            throw expected(field, "a list", value);
        }
        return value;
    }

    /**
     * A field that holds a whole number.
     *
     * @throws MalformedFileException if it is missing, no number, or not whole
     */
    public int whole(String field) {
        return whole(field, object.path(field));
    }

    private int whole(String field, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw expected(field, "a whole number", value);
        }
        return value.intValue();
    }

    /**
     * A field that holds a list of whole numbers.
     *
     * @throws MalformedFileException if it is missing, no list, or holds something else
     */
    public List<Integer> wholes(String field) {
        List<Integer> numbers = new ArrayList<>();
        list(field).forEach(item -> numbers.add(whole(field, item)));
        return numbers;
    }

    private MalformedFileException expected(String field, String what, JsonNode got) {
        return malformed(
                field + ": expected " + what + ", got " + (got.isMissingNode() ? "none" : JsonLines.describe(got)));
    }
}
