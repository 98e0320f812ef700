package dev.holdfast.weights;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A language model on disk, a Hugging Face folder or a GGUF file, seen in Hugging Face's vocabulary either way.
 *
 * <p>Ownership: closing closes the weights.
 */
public final class ModelSource implements AutoCloseable {
    private final Path path;
    private final ObjectNode config;
    private final WeightSource weights;
    private final Map<String, Object> ggufMetadata;

    ModelSource(Path path, ObjectNode config, WeightSource weights, Map<String, Object> ggufMetadata) {
        this.path = path;
        this.config = config;
        this.weights = weights;
        this.ggufMetadata = ggufMetadata;
    }

    /**
     * Opens a model without reading its weights' values.
     *
     * <p>Architectures: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GPT2LMHeadModel.
     *
     * @param path a folder with config.json and safetensors (one file, or several with their index), or a GGUF file
     * @throws FileAccessException if a file cannot be read
     * @throws MalformedFileException if a file is truncated, corrupt or missing
     * @throws dev.holdfast.error.UnsupportedModelException if the architecture, a tensor's format or an attribute is not supported
     */
    public static ModelSource open(Path path) {
        if (Files.isDirectory(path)) {
            return HuggingFaceFolder.open(path);
        }
        if (!Files.exists(path)) {
            throw FileAccessException.reading(path, new NoSuchFileException(path.toString()));
        }
        return GgufModel.open(path);
    }

    /** Where the model is. */
    public Path path() {
        return path;
    }

    /** The file that the configuration comes from: config.json, or the GGUF file itself. */
    public Path configFile() {
        return ggufMetadata == null ? path.resolve("config.json") : path;
    }

    /**
     * The model's configuration with the keys of Hugging Face's config.json; the caller's own copy.
     *
     * <p>A folder's config.json comes unchanged. A GGUF file's metadata is translated; factors that it stores for the rotary frequencies
     * become {@code "rope_scaling": {"rope_type": "factors", "factors": [...]}} with head_dim / 2 numbers, by which the frequencies
     * {@code rope_theta^(-2 i / head_dim)} are to be divided one by one.
     */
    public ObjectNode config() {
        return config.deepCopy();
    }

    /**
     * The parameters with Hugging Face's names, shapes and layout.
     *
     * <p>Left out are buffers that are no parameters and, where {@code tie_word_embeddings} holds, {@code lm_head.weight}. GPT-2's names
     * begin with {@code transformer.}.
     */
    public WeightSource weights() {
        return weights;
    }

    /** The metadata of a GGUF file, as {@link GgufFile#metadata()}; empty for a folder. */
    public Optional<Map<String, Object>> ggufMetadata() {
        return Optional.ofNullable(ggufMetadata);
    }

    @Override
    public void close() {
        weights.close();
    }
}
