package dev.holdfast.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The texts of a model's special tokens and the ids that end a generation, as the files of a Hugging Face folder name them.
 *
 * <p>{@code tokenizer_config.json} is asked first, then {@code special_tokens_map.json}. Ids in {@code generation_config.json} and
 * {@code config.json} are numbers or, for the end of sequence, lists of numbers.
 */
record SpecialTokens(
        Optional<String> bos,
        Optional<String> eos,
        Optional<String> pad,
        Optional<Integer> bosId,
        Optional<Integer> padId,
        TreeSet<Integer> stopIds,
        Optional<Integer> firstStopId) {

    static SpecialTokens of(TextFiles folder) {
        ObjectNode settings = folder.json("tokenizer_config.json");
        ObjectNode map = folder.json("special_tokens_map.json");
        ObjectNode generation = folder.json("generation_config.json");
        ObjectNode model = folder.json("config.json");
        TreeSet<Integer> stops = new TreeSet<>();
        addIds(stops, generation.path("eos_token_id"));
        addIds(stops, model.path("eos_token_id"));
        return new SpecialTokens(
                token("bos_token", settings, map),
                token("eos_token", settings, map),
                token("pad_token", settings, map),
                firstId("bos_token_id", model, generation),
                firstId("pad_token_id", model, generation),
                stops,
                firstId("eos_token_id", model, generation));
    }

    private static Optional<String> token(String name, ObjectNode... places) {
        for (ObjectNode place : places) {
            JsonNode value = place.path(name).isObject() ? place.path(name).path("content") : place.path(name);
            if (value.isTextual() && !value.textValue().isEmpty()) {
                return Optional.of(value.textValue());
            }
        }
        return Optional.empty();
    }

    private static Optional<Integer> firstId(String name, ObjectNode... places) {
        for (ObjectNode place : places) {
            JsonNode value = place.path(name).isArray() ? place.path(name).path(0) : place.path(name);
            if (value.isInt() && value.intValue() >= 0) {
                return Optional.of(value.intValue());
            }
        }
        return Optional.empty();
    }

    private static void addIds(TreeSet<Integer> ids, JsonNode value) {
        if (value.isInt() && value.intValue() >= 0) {
            ids.add(value.intValue());
        }
        value.forEach(element -> addIds(ids, element));
    }
}
