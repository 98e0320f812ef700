package dev.holdfast.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Opens a folder as Hugging Face's transformers save a model. */
final class HuggingFaceFolder {
    private static final String HEAD = "lm_head.weight";
    private static final String GPT2_PREFIX = "transformer.";

    private HuggingFaceFolder() {}

    static ModelSource open(Path folder) {
        Path configFile = folder.resolve("config.json");
        if (!Files.exists(configFile)) {
            throw MalformedFileException.of(folder, "expected a model folder with config.json, got none");
        }
        ObjectNode config = StrictJson.readFile(configFile);
        ModelArchitecture architecture = architecture(configFile, config);
        refuseQuantised(configFile, config);
        WeightSource stored = openWeights(folder);
        try {
            return new ModelSource(
                    folder,
                    config,
                    new RenamedWeights(folder, stored, origins(folder, config, architecture, stored)),
                    null);
        } catch (HoldfastException e) {
            stored.close();
            throw e;
        }
    }

    /** A configuration that was saved without a model has no architectures, only the type. */
    private static ModelArchitecture architecture(Path configFile, ObjectNode config) {
        JsonNode name = config.path("architectures").path(0);
        return name.isMissingNode() && config.hasNonNull("model_type")
                ? ModelArchitecture.ofModelType(
                        configFile, config.path("model_type").asText())
                : ModelArchitecture.ofClassName(configFile, name.asText("none"));
    }

    private static void refuseQuantised(Path configFile, ObjectNode config) {
        if (config.hasNonNull("quantization_config")) {
            throw new UnsupportedModelException(configFile + ": quantization_config: expected none, got "
                    + config.path("quantization_config").path("quant_method").asText("one")
                    + "; use the model's F32, F16 or BF16 weights");
        }
    }

    private static WeightSource openWeights(Path folder) {
        Path single = folder.resolve("model.safetensors");
        if (Files.exists(single)) {
            return SafetensorsFile.open(single);
        }
        Path index = folder.resolve("model.safetensors.index.json");
        if (Files.exists(index)) {
            return ShardedSafetensors.open(index);
        }
        throw MalformedFileException.of(
                folder,
                "expected model.safetensors or model.safetensors.index.json, got neither; "
                        + "save the model as safetensors");
    }

    private static Map<String, RenamedWeights.Origin> origins(
            Path folder, ObjectNode config, ModelArchitecture architecture, WeightSource stored) {
        boolean tied = config.path("tie_word_embeddings").asBoolean(architecture.tiedByDefault());
        Map<String, RenamedWeights.Origin> origins = new LinkedHashMap<>();
        for (String storedName : stored.names()) {
            String name = parameterName(architecture, storedName);
            if (isBuffer(name) || tied && name.equals(HEAD)) {
                continue;
            }
            if (origins.put(name, new RenamedWeights.Origin(storedName, new Rearrangement.Identity())) != null) {
                throw MalformedFileException.of(
                        folder, "parameter " + name + ": expected once, got it with and without " + GPT2_PREFIX);
            }
        }
        return origins;
    }

    /** The first GPT-2 files lack the prefix of the module that holds everything but the head. */
    private static String parameterName(ModelArchitecture architecture, String storedName) {
        boolean bare = architecture == ModelArchitecture.GPT2
                && !storedName.startsWith(GPT2_PREFIX)
                && !storedName.equals(HEAD);
        return bare ? GPT2_PREFIX + storedName : storedName;
    }

    /** Causal masks and rotary frequencies were once saved with the parameters. */
    private static boolean isBuffer(String name) {
        return name.endsWith(".attn.bias")
                || name.endsWith(".attn.masked_bias")
                || name.endsWith(".rotary_emb.inv_freq");
    }
}
