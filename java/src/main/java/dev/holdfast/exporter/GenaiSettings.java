package dev.holdfast.exporter;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GenaiConfig;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.model.Family;
import dev.holdfast.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/** Describes a decoder and its tokenizer for onnxruntime-genai. */
final class GenaiSettings {
    private static final GenaiConfig.Inputs INPUTS = new GenaiConfig.Inputs(
            "input_ids", "attention_mask", "position_ids", "past_key_values.%d.key", "past_key_values.%d.value");
    private static final GenaiConfig.Outputs OUTPUTS =
            new GenaiConfig.Outputs("logits", "present.%d.key", "present.%d.value");

    private GenaiSettings() {}

    /** The description of a model, of its {@code config.json} and of its tokenizer. */
    static GenaiConfig of(ModelConfig config, JsonNode huggingFace, Tokenizer tokenizer) {
        List<Integer> stops = new ArrayList<>(tokenizer.stopIds());
        int bos = tokenizer
                .bosId()
                .orElseGet(() -> huggingFace.path("bos_token_id").asInt(stops.isEmpty() ? 0 : stops.get(0)));
        GenaiConfig.Model model = new GenaiConfig.Model(
                typeOf(config.family()),
                bos,
                eosFirst(tokenizer, stops),
                tokenizer.padId(),
                config.maximumPositions(),
                config.vocabularySize(),
                decoder(config));
        return new GenaiConfig(model, GenaiConfig.Search.greedy(config.maximumPositions()));
    }

    /** onnxruntime-genai has a caching of its own for {@code gpt2}, which stores keys and values in one tensor; {@code decoder} is general. */
    private static String typeOf(Family family) {
        return family == Family.GPT2 ? "decoder" : family.modelType();
    }

    /** The first id is the one that closes a response. */
    private static List<Integer> eosFirst(Tokenizer tokenizer, List<Integer> stops) {
        tokenizer.eosId().ifPresent(eos -> {
            stops.remove(Integer.valueOf(eos));
            stops.add(0, eos);
        });
        return stops;
    }

    private static GenaiConfig.Decoder decoder(ModelConfig config) {
        return new GenaiConfig.Decoder(
                DeployableFolder.MODEL,
                config.headSize(),
                config.hiddenSize(),
                config.headCount(),
                config.layerCount(),
                config.keyValueHeadCount(),
                new GenaiConfig.SessionOptions("onnxruntime-genai", List.of()),
                INPUTS,
                OUTPUTS);
    }
}
