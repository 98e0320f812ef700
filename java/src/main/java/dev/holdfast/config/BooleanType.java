package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Optional;

/** True or false, in any of YAML's spellings. */
record BooleanType() implements KeyType<Boolean> {
    @Override
    public Optional<Boolean> parse(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on" -> Optional.of(true);
            case "false", "no", "off" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    @Override
    public String format(Boolean value) {
        return value.toString();
    }

    @Override
    public boolean allows(Boolean value) {
        return true;
    }

    @Override
    public String expectation() {
        return "true or false";
    }

    @Override
    public void describe(ObjectNode schema) {
        schema.put("type", "boolean");
    }
}
