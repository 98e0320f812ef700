package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;

/** Where a model folder keeps its chat template: {@code chat_template.jinja} first, then {@code tokenizer_config.json}. */
final class ChatTemplateSource {
    private ChatTemplateSource() {}

    static Optional<String> find(TextFiles folder) {
        return folder.text("chat_template.jinja")
                .or(() -> inSettings(folder.json("tokenizer_config.json").path("chat_template")));
    }

    /** A text, or a list of named templates of which {@code default} is the one for plain conversations. */
    private static Optional<String> inSettings(JsonNode value) {
        for (JsonNode template : value) {
            if (template.path("name").asText().equals("default")) {
                return Optional.of(template.path("template").asText());
            }
        }
        return value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
    }
}
