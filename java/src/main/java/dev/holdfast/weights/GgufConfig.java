package dev.holdfast.weights;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.Shape;
import java.nio.FloatBuffer;

/**
 * Translates a GGUF file's metadata to the keys of Hugging Face's config.json.
 *
 * <p>Source: ggml, {@code docs/gguf.md}; llama.cpp, {@code convert_hf_to_gguf.py}, which writes the metadata from a config.json.
 */
final class GgufConfig {
    private static final double DEFAULT_ROPE_THETA = 10_000;
    private static final String ROPE_FACTORS = "rope_freqs.weight";

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final ModelArchitecture architecture;
    private final ObjectNode config = StrictJson.newObject();

    private GgufConfig(GgufFile file, GgufMetadata metadata, ModelArchitecture architecture) {
        this.file = file;
        this.metadata = metadata;
        this.architecture = architecture;
    }

    static ObjectNode of(GgufFile file, GgufMetadata metadata, ModelArchitecture architecture) {
        return new GgufConfig(file, metadata, architecture).translate();
    }

    private ObjectNode translate() {
        refuseParts();
        refuseExperts();
        config.putArray("architectures").add(architecture.className());
        config.put("model_type", architecture.modelType());
        if (architecture == ModelArchitecture.GPT2) {
            addGpt2();
        } else {
            addLlamaLike();
        }
        config.put("vocab_size", (int) embeddingShape().dimension(0));
        config.put("tie_word_embeddings", !file.contains("output.weight"));
        addToken("bos_token_id");
        addToken("eos_token_id");
        metadata.whole("tokenizer.ggml.padding_token_id").ifPresent(id -> config.put("pad_token_id", id));
        return config;
    }

    private void refuseParts() {
        int parts = metadata.whole("split.count").orElse(1);
        if (parts > 1) {
            throw new UnsupportedModelException(file.path() + ": expected a whole model, got one of " + parts
                    + " parts; join them with llama.cpp's llama-gguf-split --merge");
        }
    }

    private void refuseExperts() {
        int experts = metadata.whole(".expert_count").orElse(0);
        if (experts > 0) {
            throw new UnsupportedModelException(
                    file.path() + ": expected a dense model, got a mixture of " + experts + " experts");
        }
    }

    private void addGpt2() {
        config.put("n_embd", width());
        config.put("n_layer", metadata.requiredWhole(".block_count"));
        config.put("n_head", metadata.requiredWhole(".attention.head_count"));
        config.put("n_inner", metadata.requiredWhole(".feed_forward_length"));
        config.put("n_positions", metadata.requiredWhole(".context_length"));
        config.put("layer_norm_epsilon", requiredReal(".attention.layer_norm_epsilon"));
        config.put("activation_function", "gelu_new");
    }

    private void addLlamaLike() {
        int headCount = metadata.requiredWhole(".attention.head_count");
        config.put("hidden_size", width());
        config.put("intermediate_size", metadata.requiredWhole(".feed_forward_length"));
        config.put("num_hidden_layers", metadata.requiredWhole(".block_count"));
        config.put("num_attention_heads", headCount);
        config.put(
                "num_key_value_heads",
                metadata.whole(".attention.head_count_kv").orElse(headCount));
        config.put("head_dim", headSize(headCount));
        config.put("max_position_embeddings", metadata.requiredWhole(".context_length"));
        config.put("rms_norm_eps", requiredReal(".attention.layer_norm_rms_epsilon"));
        config.put("hidden_act", "silu");
        config.put("attention_bias", file.contains("blk.0.attn_q.bias"));
        config.put("mlp_bias", file.contains("blk.0.ffn_up.bias"));
        addRope();
    }

    /** The embedding's width is known twice, so that a corrupt file tells itself. */
    private int width() {
        int width = metadata.requiredWhole(".embedding_length");
        if (embeddingShape().dimension(1) != width) {
            throw MalformedFileException.of(
                    file.path(),
                    "token_embd.weight: expected rows of " + width + " values as embedding_length says, got "
                            + embeddingShape());
        }
        return width;
    }

    private Shape embeddingShape() {
        Shape shape = file.info("token_embd.weight").shape();
        if (shape.rank() != 2 || shape.dimension(0) > Integer.MAX_VALUE) {
            throw MalformedFileException.of(
                    file.path(), "token_embd.weight: expected a matrix, a row for each token, got " + shape);
        }
        return shape;
    }

    private int headSize(int headCount) {
        int headSize = metadata.whole(".attention.key_length").orElse(width() / headCount);
        requireAlike(".attention.value_length", headSize);
        requireAlike(".rope.dimension_count", headSize);
        if (headSize == 0 || headSize % 2 != 0) {
            throw MalformedFileException.of(file.path(), "head size: expected an even number above 0, got " + headSize);
        }
        return headSize;
    }

    private void requireAlike(String key, int headSize) {
        int value = metadata.whole(key).orElse(headSize);
        if (value != headSize) {
            throw new UnsupportedModelException(
                    file.path() + ": metadata " + key + ": expected the head size " + headSize + ", got " + value);
        }
    }

    private void addRope() {
        config.put("rope_theta", real(".rope.freq_base", DEFAULT_ROPE_THETA));
        if (file.contains(ROPE_FACTORS)) {
            addRopeFactors();
            return;
        }
        String type =
                metadata.text(".rope.scaling.type").orElse(metadata.has(".rope.scale_linear") ? "linear" : "none");
        switch (type) {
            case "none" -> config.putNull("rope_scaling");
            case "linear" -> addRopeScaling(type)
                    .put("factor", real(".rope.scaling.factor", real(".rope.scale_linear", 1)));
            case "yarn" -> addYarn();
            default -> throw new UnsupportedModelException(
                    file.path() + ": metadata rope.scaling.type: expected none, linear or yarn, got " + type);
        }
    }

    private void addRopeFactors() {
        FloatBuffer factors = file.readFloat(ROPE_FACTORS).floats();
        int expected = config.get("head_dim").intValue() / 2;
        if (factors.remaining() != expected) {
            throw MalformedFileException.of(
                    file.path(), ROPE_FACTORS + ": expected " + expected + " factors, got " + factors.remaining());
        }
        var array = addRopeScaling("factors").putArray("factors");
        while (factors.hasRemaining()) {
            array.add(shortest(factors.get()));
        }
    }

    private void addYarn() {
        ObjectNode scaling = addRopeScaling("yarn").put("factor", requiredReal(".rope.scaling.factor"));
        metadata.whole(".rope.scaling.original_context_length")
                .ifPresent(length -> scaling.put("original_max_position_embeddings", length));
        metadata.real(".rope.scaling.yarn_beta_fast").ifPresent(beta -> scaling.put("beta_fast", shortest(beta)));
        metadata.real(".rope.scaling.yarn_beta_slow").ifPresent(beta -> scaling.put("beta_slow", shortest(beta)));
    }

    private ObjectNode addRopeScaling(String type) {
        return config.putObject("rope_scaling").put("rope_type", type);
    }

    private void addToken(String key) {
        metadata.whole("tokenizer.ggml." + key).ifPresent(id -> config.put(key, id));
    }

    private double real(String key, double absent) {
        return metadata.real(key).map(GgufConfig::shortest).orElse(absent);
    }

    private double requiredReal(String key) {
        return metadata.real(key).map(GgufConfig::shortest).orElseThrow(() -> metadata.missing(key));
    }

    /** GGUF stores 1e-5 as a float; the shortest number with that float value is what the model's author wrote. */
    private static double shortest(double value) {
        return Double.parseDouble(Float.toString((float) value));
    }
}
