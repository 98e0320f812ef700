package dev.holdfast.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.UnsupportedModelException;

/** Typed access to a Hugging Face configuration; every message names file and key. */
final class HuggingFaceConfig {
    private final JsonNode config;
    private final String where;

    /** The keys of a file, which messages name. */
    HuggingFaceConfig(JsonNode config, String where) {
        this.config = config;
        this.where = where;
    }

    /** Where a key stands, for messages: {@code <file>: <key>: }. */
    String at(String key) {
        return where + ": " + key + ": ";
    }

    Family family() {
        JsonNode architectures = config.path("architectures");
        if (architectures.isArray() && !architectures.isEmpty()) {
            String architecture = architectures.get(0).asText();
            return Family.ofArchitecture(architecture)
                    .orElseThrow(() -> unsupported("architecture \"" + architecture + "\""));
        }
        String modelType = config.path("model_type").asText();
        return Family.ofModelType(modelType).orElseThrow(() -> unsupported("model_type \"" + modelType + "\""));
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(
                where + ": " + what + " is not supported: expected one of " + Family.supported());
    }

    JsonNode node(String key) {
        JsonNode node = config.path(key);
        return node.isNull() ? MissingNode.getInstance() : node;
    }

    int size(String key) {
        if (node(key).isMissingNode()) {
            throw new InvalidInputException(at(key) + "expected a positive integer, got nothing");
        }
        return size(key, 0);
    }

    int size(String key, int otherwise) {
        JsonNode node = node(key);
        int value = node.isMissingNode()
                ? otherwise
                : node.canConvertToExactIntegral() && node.canConvertToInt() ? node.intValue() : -1;
        if (value <= 0) {
            throw new InvalidInputException(at(key) + "expected a positive integer, got " + node);
        }
        return value;
    }

    float real(String key, double otherwise) {
        JsonNode node = node(key);
        if (!node.isMissingNode() && !node.isNumber()) {
            throw new InvalidInputException(at(key) + "expected a number, got " + node);
        }
        return (float) node.asDouble(otherwise);
    }

    boolean flag(String key, boolean otherwise) {
        return node(key).asBoolean(otherwise);
    }

    void requireText(String key, String expected) {
        String got = node(key).asText(expected);
        if (!got.equals(expected) && !(expected.equals("gelu_new") && got.equals("gelu_pytorch_tanh"))) {
            throw new UnsupportedModelException(at(key) + "expected " + expected + ", got " + got);
        }
    }

    void requireFlag(String key, boolean expected) {
        if (flag(key, expected) != expected) {
            throw new UnsupportedModelException(at(key) + "expected " + expected + ", got " + !expected);
        }
    }

    /** Within its window, a sliding attention is the full one; so a model with a window is held to sequences that fit it. */
    int withinSlidingWindow(int positions) {
        boolean used = flag("use_sliding_window", !node("sliding_window").isMissingNode());
        return used ? Math.min(positions, size("sliding_window", positions)) : positions;
    }
}
