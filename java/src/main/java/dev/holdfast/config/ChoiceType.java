package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One of the constants of an enum, written in lower case.
 *
 * @param values the enum
 */
record ChoiceType<E extends Enum<E>>(Class<E> values) implements KeyType<E> {
    @Override
    public Optional<E> parse(String text) {
        String word = text.strip().toLowerCase(Locale.ROOT);
        return Arrays.stream(values.getEnumConstants())
                .filter(value -> format(value).equals(word))
                .findFirst();
    }

    @Override
    public String format(E value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean allows(E value) {
        return true;
    }

    @Override
    public String expectation() {
        return Arrays.stream(values.getEnumConstants()).map(this::format).collect(Collectors.joining(" or "));
    }

    @Override
    public void describe(ObjectNode schema) {
        ArrayNode choices = schema.putArray("enum");
        Arrays.stream(values.getEnumConstants()).map(this::format).forEach(choices::add);
    }
}
