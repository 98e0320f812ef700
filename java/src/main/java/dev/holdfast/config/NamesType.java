package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** One name or several, separated by commas or blanks; in files also a list. */
record NamesType() implements KeyType<List<String>> {
    @Override
    public Optional<List<String>> parse(String text) {
        return Optional.of(Stream.of(text.split("[,\\s]+"))
                        .filter(name -> !name.isEmpty())
                        .toList())
                .filter(this::allows);
    }

    @Override
    public String format(List<String> value) {
        return String.join(",", value);
    }

    @Override
    public boolean allows(List<String> value) {
        return !value.isEmpty() && value.stream().noneMatch(name -> name.isBlank() || name.matches(".*[,\\s].*"));
    }

    @Override
    public String expectation() {
        return "names separated by commas";
    }

    @Override
    public void describe(ObjectNode schema) {
        schema.putArray("type").add("string").add("array");
        schema.putObject("items").put("type", "string");
    }
}
