package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/** The tokens of a {@code tokenizer.json}: its model's vocabulary and the tokens added to it. */
final class Vocabulary {
    private final Map<String, Integer> ids = new HashMap<>();
    private final BitSet special = new BitSet();
    private int size;

    Vocabulary(Path file, ObjectNode tokenizer) {
        readModel(file, tokenizer.path("model").path("vocab"));
        for (JsonNode added : tokenizer.path("added_tokens")) {
            int id = add(file, added.path("content"), added.path("id"));
            if (added.path("special").asBoolean()) {
                special.set(id);
            }
        }
        if (size == 0) {
            throw MalformedFileException.of(file, "expected a vocabulary in model.vocab, got none");
        }
    }

    private void readModel(Path file, JsonNode vocabulary) {
        if (vocabulary.isArray()) {
            for (int id = 0; id < vocabulary.size(); id++) {
                put(vocabulary.get(id).path(0).asText(), id);
            }
            return;
        }
        vocabulary.fields().forEachRemaining(entry -> add(file, TextNode.valueOf(entry.getKey()), entry.getValue()));
    }

    private int add(Path file, JsonNode token, JsonNode id) {
        if (!token.isTextual() || !id.isInt() || id.intValue() < 0) {
            throw MalformedFileException.of(file, "expected tokens with an id >= 0, got " + token + " with " + id);
        }
        put(token.textValue(), id.intValue());
        return id.intValue();
    }

    private void put(String token, int id) {
        ids.put(token, id);
        size = Math.max(size, id + 1);
    }

    /** The highest id plus one. */
    int size() {
        return size;
    }

    /** The id of a token, or nothing. */
    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** Whether the token is marked special, such as {@code <|im_end|>}. */
    boolean isSpecial(int id) {
        return special.get(id);
    }
}
