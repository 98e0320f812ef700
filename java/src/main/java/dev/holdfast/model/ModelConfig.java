package dev.holdfast.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.UnsupportedModelException;

/**
 * The sizes and switches of a decoder, read from a Hugging Face {@code config.json}.
 *
 * @param family the decoder family
 * @param vocabularySize V, rows of the embedding and of the head
 * @param hiddenSize H
 * @param intermediateSize width of the feed-forward layer
 * @param layerCount number of blocks
 * @param headCount query heads
 * @param keyValueHeadCount key and value heads; divides {@code headCount}
 * @param headSize width of one head
 * @param maximumPositions longest sequence that the positions allow, in tokens
 * @param normEpsilon epsilon of the norms
 * @param tiedHead whether the head is the embedding
 * @param queryKeyValueBias whether the three attention inputs have a bias
 * @param attentionOutputBias whether the attention output has a bias
 * @param feedForwardBias whether the feed-forward layers have biases
 * @param queryKeyNorm whether queries and keys are normalised per head
 * @param rotary the rotary position embedding; null where positions are learned
 */
public record ModelConfig(
        Family family,
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layerCount,
        int headCount,
        int keyValueHeadCount,
        int headSize,
        int maximumPositions,
        float normEpsilon,
        boolean tiedHead,
        boolean queryKeyValueBias,
        boolean attentionOutputBias,
        boolean feedForwardBias,
        boolean queryKeyNorm,
        RotaryEmbedding rotary) {

    /**
     * Reads a Hugging Face configuration.
     *
     * @param where the file, for messages
     * @throws UnsupportedModelException if the architecture, or a variant of it that changes the computation, is not supported
     * @throws InvalidInputException if a size is missing, not a positive integer, or contradicts another
     */
    public static ModelConfig of(JsonNode config, String where) {
        HuggingFaceConfig reader = new HuggingFaceConfig(config, where);
        Family family = reader.family();
        return family == Family.GPT2 ? gpt2(reader) : llama(family, reader);
    }

    private static ModelConfig llama(Family family, HuggingFaceConfig reader) {
        reader.requireText("hidden_act", "silu");
        int headCount = reader.size("num_attention_heads");
        int hiddenSize = reader.size("hidden_size");
        int headSize = reader.size("head_dim", hiddenSize / headCount);
        boolean attentionBias = reader.flag("attention_bias", false);
        int positions = reader.size("max_position_embeddings", 2048);
        return new ModelConfig(
                        family,
                        reader.size("vocab_size"),
                        hiddenSize,
                        reader.size("intermediate_size"),
                        reader.size("num_hidden_layers"),
                        headCount,
                        reader.size("num_key_value_heads", headCount),
                        headSize,
                        reader.withinSlidingWindow(positions),
                        reader.real("rms_norm_eps", 1e-6),
                        reader.flag("tie_word_embeddings", false),
                        attentionBias || family == Family.QWEN2,
                        attentionBias,
                        reader.flag("mlp_bias", false),
                        family == Family.QWEN3,
                        RotaryEmbedding.of(reader, headSize))
                .checked(reader);
    }

    private static ModelConfig gpt2(HuggingFaceConfig reader) {
        reader.requireText("activation_function", "gelu_new");
        reader.requireFlag("scale_attn_weights", true);
        reader.requireFlag("scale_attn_by_inverse_layer_idx", false);
        int headCount = reader.size("n_head");
        int hiddenSize = reader.size("n_embd");
        return new ModelConfig(
                        Family.GPT2,
                        reader.size("vocab_size"),
                        hiddenSize,
                        reader.size("n_inner", 4 * hiddenSize),
                        reader.size("n_layer"),
                        headCount,
                        headCount,
                        hiddenSize / headCount,
                        reader.size("n_positions", 1024),
                        reader.real("layer_norm_epsilon", 1e-5),
                        reader.flag("tie_word_embeddings", true),
                        true,
                        true,
                        true,
                        false,
                        null)
                .checked(reader);
    }

    private ModelConfig checked(HuggingFaceConfig reader) {
        require(
                reader,
                headCount % keyValueHeadCount == 0,
                "num_key_value_heads",
                "a divisor of num_attention_heads " + headCount,
                keyValueHeadCount);
        require(reader, headSize % 2 == 0 || rotary == null, "head_dim", "an even number", headSize);
        require(
                reader,
                family != Family.GPT2 || hiddenSize % headCount == 0,
                "n_head",
                "a divisor of n_embd " + hiddenSize,
                headCount);
        return this;
    }

    private static void require(HuggingFaceConfig reader, boolean condition, String key, String expected, long got) {
        if (!condition) {
            throw new InvalidInputException(reader.at(key) + "expected " + expected + ", got " + got);
        }
    }

    /** Query heads per key and value head. */
    public int groupSize() {
        return headCount / keyValueHeadCount;
    }

    /** Width of all query heads together. */
    public int queryWidth() {
        return headCount * headSize;
    }

    /** Width of all key heads together, and of all value heads. */
    public int keyValueWidth() {
        return keyValueHeadCount * headSize;
    }
}
