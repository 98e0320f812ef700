package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** A file or directory, relative to the working directory unless absolute; a leading {@code ~} is the home directory. */
record PathType() implements KeyType<Path> {
    @Override
    public Optional<Path> parse(String text) {
        if (text.isBlank()) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    text.startsWith("~/")
                            ? Path.of(System.getProperty("user.home"), text.substring(2))
                            : Path.of(text));
        } catch (InvalidPathException notAPath) {
            return Optional.empty();
        }
    }

    @Override
    public String format(Path value) {
        return value.toString();
    }

    @Override
    public boolean allows(Path value) {
        return !value.toString().isBlank();
    }

    @Override
    public String expectation() {
        return "a path";
    }

    @Override
    public void describe(ObjectNode schema) {
        schema.put("type", "string");
    }
}
