package dev.holdfast.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.files.OutputFile;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Low-rank adapters as PEFT keeps them: a folder with {@code adapter_config.json} and {@code adapter_model.safetensors}.
 *
 * <p>Tensors have the names of {@link LoraConfig#down} and {@link LoraConfig#up} here; in the file {@value #PREFIX} stands before them.
 *
 * <p>Thread safety: immutable.
 */
public final class PeftAdapter {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";
    private static final Set<String> PLAIN_INITIALISATIONS = Set.of("true", "false", "gaussian", "orthogonal", "eva");

    private final Path file;
    private final LoraConfig config;
    private final Map<String, HostTensor> values;

    private PeftAdapter(Path file, LoraConfig config, Map<String, HostTensor> values) {
        this.file = file;
        this.config = config;
        this.values = values;
    }

    /**
     * Reads an adapter.
     *
     * @throws dev.holdfast.error.FileAccessException if a file is missing or cannot be read
     * @throws MalformedFileException if a file is truncated or corrupt
     * @throws UnsupportedModelException if it is not plain LoRA on linear layers
     */
    public static PeftAdapter read(Path folder) {
        LoraConfig config = new ConfigFile(folder.resolve(CONFIG)).read();
        Path file = folder.resolve(WEIGHTS);
        Map<String, HostTensor> values = new LinkedHashMap<>();
        try (SafetensorsFile weights = SafetensorsFile.open(file)) {
            for (String name : weights.names()) {
                requireLayer(file, name);
                values.put(name.substring(PREFIX.length()), weights.readFloat(name));
            }
        }
        return new PeftAdapter(file, config, values);
    }

    private static void requireLayer(Path file, String stored) {
        if (layerOf(stored).isEmpty()) {
            throw new UnsupportedModelException(file + ": tensor " + stored + ": expected " + PREFIX
                    + LoraConfig.down("LAYER") + " or " + LoraConfig.up("LAYER")
                    + "; only LoRA on linear layers is supported");
        }
    }

    private static Optional<String> layerOf(String stored) {
        for (String suffix : List.of(LoraConfig.down(""), LoraConfig.up(""))) {
            if (stored.startsWith(PREFIX) && stored.endsWith(suffix)) {
                return Optional.of(stored.substring(PREFIX.length(), stored.length() - suffix.length()));
            }
        }
        return Optional.empty();
    }

    /** The settings. */
    public LoraConfig config() {
        return config;
    }

    /** The names of the layers that have an adapter. */
    public Set<String> layers() {
        Set<String> layers = new LinkedHashSet<>();
        values.keySet().forEach(name -> layerOf(PREFIX + name).ifPresent(layers::add));
        return layers;
    }

    /**
     * A tensor, FLOAT.
     *
     * @param name as {@link LoraConfig#down} or {@link LoraConfig#up} give it
     * @param shape what it must be of
     * @throws MalformedFileException if there is none
     * @throws UnsupportedModelException if it is of another shape
     */
    public HostTensor value(String name, Shape shape) {
        HostTensor value = values.get(name);
        if (value == null) {
            throw MalformedFileException.of(
                    file, "tensor " + PREFIX + name + ": expected beside its other half, got none");
        }
        if (!value.shape().equals(shape)) {
            throw new UnsupportedModelException(file + ": tensor " + PREFIX + name + ": expected shape " + shape
                    + ", got " + value.shape() + "; is the adapter of another model?");
        }
        return value;
    }

    /**
     * Writes an adapter.
     *
     * @param folder a folder that is there
     * @param baseModel what PEFT calls {@code base_model_name_or_path}
     * @param inputFirst whether the model stores the weights of linear layers [in, out], which PEFT calls {@code fan_in_fan_out}
     * @param tensors A and B of each layer
     * @throws dev.holdfast.error.FileAccessException if a file cannot be written
     */
    public static void write(
            Path folder, LoraConfig config, String baseModel, boolean inputFirst, List<PendingTensor> tensors) {
        List<PendingTensor> renamed = tensors.stream()
                .map(tensor -> new PendingTensor(
                        PREFIX + tensor.name(), tensor.elementType(), tensor.shape(), tensor.values()))
                .toList();
        SafetensorsWriter.write(folder.resolve(WEIGHTS), Map.of("format", "pt"), renamed);
        ObjectNode json = StrictJson.newObject()
                .put("peft_type", "LORA")
                .put("task_type", "CAUSAL_LM")
                .put("base_model_name_or_path", baseModel)
                .put("r", config.r())
                .put("lora_alpha", config.alpha())
                .put("lora_dropout", config.dropout())
                .put("use_rslora", config.useRslora())
                .put("fan_in_fan_out", inputFirst)
                .put("bias", "none")
                .put("inference_mode", true);
        // A text of PEFT's own; a list would have to name a module.
        if (config.targetModules().equals(List.of(LoraConfig.ALL_LINEAR))) {
            json.put("target_modules", LoraConfig.ALL_LINEAR);
        } else {
            config.targetModules().forEach(json.putArray("target_modules")::add);
        }
        OutputFile.writeWhole(folder.resolve(CONFIG), StrictJson.write(json));
    }

    /** Reads the settings and refuses what would change the computation. */
    private record ConfigFile(Path file) {
        LoraConfig read() {
            ObjectNode json = StrictJson.readFile(file);
            require(json, "peft_type", "LORA", json.path("peft_type").asText().equals("LORA"));
            require(json, "bias", "none", json.path("bias").asText("none").equals("none"));
            String initialisation =
                    json.path("init_lora_weights").asText("true").toLowerCase(Locale.ROOT);
            require(
                    json,
                    "init_lora_weights",
                    "an initialisation that leaves the base weights as they are",
                    PLAIN_INITIALISATIONS.contains(initialisation));
            for (String unsupported : List.of(
                    "use_dora",
                    "use_qalora",
                    "use_bdlora",
                    "lora_bias",
                    "kasa_config",
                    "monteclora_config",
                    "arrow_config",
                    "alora_invocation_tokens",
                    "rank_pattern",
                    "alpha_pattern",
                    "modules_to_save",
                    "trainable_token_indices",
                    "target_parameters",
                    "layer_replication")) {
                require(json, unsupported, "none", isNothing(json.path(unsupported)));
            }
            return config(json);
        }

        private static boolean isNothing(JsonNode node) {
            return node.isMissingNode()
                    || node.isNull()
                    || node.isBoolean() && !node.booleanValue()
                    || node.isContainerNode() && node.isEmpty();
        }

        private void require(ObjectNode json, String key, String expected, boolean holds) {
            if (!holds) {
                throw new UnsupportedModelException(
                        file + ": " + key + ": expected " + expected + ", got " + json.path(key));
            }
        }

        private LoraConfig config(ObjectNode json) {
            try {
                return new LoraConfig(
                        json.path("r").asInt(),
                        json.path("lora_alpha").asDouble(),
                        json.path("lora_dropout").asDouble(0),
                        targetModules(json),
                        json.path("use_rslora").asBoolean(false));
            } catch (IllegalArgumentException e) {
                throw MalformedFileException.of(file, e.getMessage(), e);
            }
        }

        private List<String> targetModules(ObjectNode json) {
            JsonNode targets = json.path("target_modules");
            require(
                    json,
                    "target_modules",
                    "a list of names or \"" + LoraConfig.ALL_LINEAR + "\"",
                    targets.isArray() || targets.asText().equals(LoraConfig.ALL_LINEAR));
            List<String> names = new ArrayList<>();
            targets.forEach(target -> names.add(target.asText()));
            return targets.isArray() ? names : List.of(LoraConfig.ALL_LINEAR);
        }
    }
}
