package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Typed access to the metadata of a GGUF file; keys that begin with a dot stand under the architecture's name. */
final class GgufMetadata {
    private static final String ARCHITECTURE = "general.architecture";

    private final Path file;
    private final Map<String, Object> values;
    private final String architecture;

    GgufMetadata(Path file, Map<String, Object> values) {
        this.file = file;
        this.values = values;
        this.architecture = text(ARCHITECTURE).orElseThrow(() -> missing(ARCHITECTURE));
    }

    Path file() {
        return file;
    }

    String architecture() {
        return architecture;
    }

    boolean has(String key) {
        return values.containsKey(full(key));
    }

    Optional<String> text(String key) {
        return value(key).map(value -> cast(key, value, String.class));
    }

    Optional<Double> real(String key) {
        return value(key).map(value -> cast(key, value, Double.class));
    }

    /** A whole number that fits the uses of a size: from 0 to 2³¹ − 1. */
    Optional<Integer> whole(String key) {
        return value(key).map(value -> size(key, cast(key, perLayerAlike(key, value), Long.class)));
    }

    int requiredWhole(String key) {
        int value = whole(key).orElseThrow(() -> missing(key));
        if (value == 0) {
            throw malformed(key, "a number above 0", 0);
        }
        return value;
    }

    MalformedFileException missing(String key) {
        return MalformedFileException.of(file, "metadata " + full(key) + ": expected, got none");
    }

    /** Some models have a value for each layer; here all have to be alike. */
    private Object perLayerAlike(String key, Object value) {
        if (!(value instanceof List<?> list)) {
            return value;
        }
        if (new HashSet<>(list).size() != 1) {
            throw new UnsupportedModelException(file + ": metadata " + full(key)
                    + ": expected one value for all layers, got " + list.size() + " that differ");
        }
        return list.get(0);
    }

    private int size(String key, long value) {
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw malformed(key, "0 to " + Integer.MAX_VALUE, Long.toUnsignedString(value));
        }
        return (int) value;
    }

    private <T> T cast(String key, Object value, Class<T> type) {
        if (!type.isInstance(value)) {
            throw malformed(key, type.getSimpleName(), value.getClass().getSimpleName());
        }
        return type.cast(value);
    }

    private MalformedFileException malformed(String key, String expected, Object got) {
        return MalformedFileException.of(file, "metadata " + full(key) + ": expected " + expected + ", got " + got);
    }

    private Optional<Object> value(String key) {
        return Optional.ofNullable(values.get(full(key)));
    }

    private String full(String key) {
        return key.startsWith(".") ? architecture + key : key;
    }
}
