package dev.holdfast.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Describes the table of keys for editors and for people. */
public final class ConfigSchema {
    private ConfigSchema() {}

    /** All keys as a JSON Schema (draft 2020-12), which editors use to complete and check YAML files. */
    public static JsonNode json() {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.put("title", "Holdfast training job");
        schema.put("type", "object");
        schema.put("additionalProperties", false);
        ObjectNode properties = schema.putObject("properties");
        for (ConfigKey<?> key : ConfigKeys.all()) {
            describe(key, parentOf(key, properties));
        }
        return schema;
    }

    /** The properties that a key belongs to: those of its section, or the top level's. */
    private static ObjectNode parentOf(ConfigKey<?> key, ObjectNode properties) {
        if (key.section().isEmpty()) {
            return properties;
        }
        ObjectNode section = properties.withObjectProperty(key.section());
        if (section.isEmpty()) {
            section.putArray("type").add("object").add("string");
            section.put("additionalProperties", false);
        }
        return section.withObjectProperty("properties");
    }

    private static <T> void describe(ConfigKey<T> key, ObjectNode properties) {
        ObjectNode property = properties.putObject(key.leaf());
        property.put("description", key.help() + " (" + jobs(key) + ")");
        key.type().describe(property);
        key.defaultValue().ifPresent(value -> putDefault(key.type(), value, property));
    }

    private static <T> void putDefault(KeyType<T> type, T value, ObjectNode property) {
        if (value instanceof Double number) {
            property.put("default", number);
        } else if (value instanceof Long number) {
            property.put("default", number);
        } else if (value instanceof Boolean flag) {
            property.put("default", flag);
        } else {
            property.put("default", type.format(value));
        }
    }

    /** All keys as a table in Markdown. */
    public static String markdown() {
        return ConfigKeys.all().stream()
                .map(ConfigSchema::line)
                .collect(Collectors.joining(
                        "\n", "| key | default | allowed | jobs | meaning |\n|---|---|---|---|---|\n", "\n"));
    }

    private static String line(ConfigKey<?> key) {
        Optional<String> defaultText = key.defaultText().map(text -> "`" + text + "`");
        return String.format(
                Locale.ROOT,
                "| `%s` | %s | %s | %s | %s |",
                key.name(),
                defaultText.orElse(key.requiredBy().isEmpty() ? "" : "required"),
                key.type().expectation(),
                jobs(key),
                key.help());
    }

    private static String jobs(ConfigKey<?> key) {
        return key.jobs().stream().sorted().map(Job::command).collect(Collectors.joining(", "));
    }
}
