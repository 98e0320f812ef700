package dev.holdfast.data;

import dev.holdfast.error.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tokenizer's part of a GGUF file's metadata, read with checks; every complaint names its key. */
record GgufTokenizerMetadata(Map<String, Object> values) {
    private static final String PREFIX = "tokenizer.ggml.";

    String text(String name) {
        return require(name, "a text", String.class);
    }

    Optional<String> optionalText(String key) {
        return values.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
    }

    /** A switch, or nothing where the file does not say. */
    Optional<Boolean> flag(String name) {
        return values.get(PREFIX + name) instanceof Boolean flag ? Optional.of(flag) : Optional.empty();
    }

    boolean has(String name) {
        return values.containsKey(PREFIX + name);
    }

    List<String> texts(String name) {
        return elements(name, "texts", String.class);
    }

    List<Number> numbers(String name) {
        return elements(name, "numbers", Number.class);
    }

    /** A token id, checked against the number of tokens; nothing where the file does not give it. */
    Optional<Integer> tokenId(String name, int tokens) {
        Object value = values.get(PREFIX + name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Number number) || number.longValue() < 0 || number.longValue() >= tokens) {
            throw new InvalidInputException(PREFIX + name + ": expected a token id below " + tokens + ", got " + value);
        }
        return Optional.of(number.intValue());
    }

    private <T> List<T> elements(String name, String expected, Class<T> type) {
        List<?> list = require(name, "a list of " + expected, List.class);
        for (int index = 0; index < list.size(); index++) {
            if (!type.isInstance(list.get(index))) {
                throw new InvalidInputException(
                        PREFIX + name + "[" + index + "]: expected " + expected + ", got " + list.get(index));
            }
        }
        return list.stream().map(type::cast).toList();
    }

    private <T> T require(String name, String expected, Class<T> type) {
        Object value = values.get(PREFIX + name);
        if (!type.isInstance(value)) {
            throw new InvalidInputException(PREFIX + name + ": expected " + expected + ", got "
                    + (value == null ? "nothing" : value.getClass().getSimpleName()));
        }
        return type.cast(value);
    }
}
