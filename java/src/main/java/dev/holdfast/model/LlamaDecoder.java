package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.List;

/**
 * Llama and its relatives (Mistral, Qwen2, Qwen3): RMS norm before each part of a block, rotary positions, grouped-query attention,
 * gated feed-forward layer.
 *
 * <p>Source: Touvron et al., "LLaMA" (arXiv 2302.13971) §2.2; Qwen2 adds biases to the attention inputs (arXiv 2407.10671 §2.2), Qwen3
 * norms of queries and keys per head (arXiv 2505.09388 §2).
 */
record LlamaDecoder(ModelConfig config) implements Decoder {
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String FINAL_NORM = "model.norm.weight";
    private static final String HEAD = "lm_head.weight";

    @Override
    public String embeddingName() {
        return EMBEDDING;
    }

    @Override
    public String headName() {
        return config.tiedHead() ? EMBEDDING : HEAD;
    }

    @Override
    public boolean storesInputFirst() {
        return false;
    }

    @Override
    public List<Parameter> parameters() {
        return list().parameters();
    }

    @Override
    public List<LinearLayer> linearLayers() {
        return list().layers();
    }

    private ParameterList list() {
        ParameterList list = new ParameterList(storesInputFirst());
        list.matrix(EMBEDDING, config.vocabularySize(), config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            addBlock(list, prefix(layer));
        }
        list.vector(FINAL_NORM, config.hiddenSize());
        if (!config.tiedHead()) {
            list.matrix(HEAD, config.vocabularySize(), config.hiddenSize());
        }
        return list;
    }

    private void addBlock(ParameterList list, String prefix) {
        int hidden = config.hiddenSize();
        int inner = config.intermediateSize();
        list.vector(prefix + "input_layernorm.weight", hidden);
        list.linear(prefix + "self_attn.q_proj", hidden, config.queryWidth(), config.queryKeyValueBias());
        list.linear(prefix + "self_attn.k_proj", hidden, config.keyValueWidth(), config.queryKeyValueBias());
        list.linear(prefix + "self_attn.v_proj", hidden, config.keyValueWidth(), config.queryKeyValueBias());
        if (config.queryKeyNorm()) {
            list.vector(prefix + "self_attn.q_norm.weight", config.headSize());
            list.vector(prefix + "self_attn.k_norm.weight", config.headSize());
        }
        list.linear(prefix + "self_attn.o_proj", config.queryWidth(), hidden, config.attentionOutputBias());
        list.vector(prefix + "post_attention_layernorm.weight", hidden);
        list.linear(prefix + "mlp.gate_proj", hidden, inner, config.feedForwardBias());
        list.linear(prefix + "mlp.up_proj", hidden, inner, config.feedForwardBias());
        list.linear(prefix + "mlp.down_proj", inner, hidden, config.feedForwardBias());
    }

    private static String prefix(int layer) {
        return "model.layers." + layer + ".";
    }

    @Override
    public Value hiddenStates(Operators operators, DecoderWeights weights, Sequence sequence) {
        Value embedded = operators.embedding(weights.value(EMBEDDING), sequence.inputIds());
        Value hidden = operators.reshape(embedded, -1, config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            Operators inLayer = operators.in("layers." + layer);
            hidden = new Block(inLayer, weights, prefix(layer), sequence, layer).apply(hidden);
        }
        return operators.rmsNorm(hidden, weights.value(FINAL_NORM), config.normEpsilon());
    }

    /** One block while it is being appended. */
    private final class Block {
        private final Operators operators;
        private final DecoderWeights weights;
        private final String prefix;
        private final Sequence sequence;
        private final int layer;

        Block(Operators operators, DecoderWeights weights, String prefix, Sequence sequence, int layer) {
            this.operators = operators;
            this.weights = weights;
            this.prefix = prefix;
            this.sequence = sequence;
            this.layer = layer;
        }

        Value apply(Value hidden) {
            Value attended = operators.add(hidden, attention(norm(hidden, "input_layernorm")));
            return operators.add(attended, feedForward(norm(attended, "post_attention_layernorm")));
        }

        private Value norm(Value hidden, String name) {
            return operators.rmsNorm(hidden, weight(name), config.normEpsilon());
        }

        private Value attention(Value normed) {
            Value query = headNorm(
                    linear(normed, "self_attn.q_proj", config.queryKeyValueBias()), "q_norm", config.headCount());
            Value key = headNorm(
                    linear(normed, "self_attn.k_proj", config.queryKeyValueBias()),
                    "k_norm",
                    config.keyValueHeadCount());
            Value value = linear(normed, "self_attn.v_proj", config.queryKeyValueBias());
            Value mixed = sequence.attend(operators, layer, query, key, value);
            return linear(mixed, "self_attn.o_proj", config.attentionOutputBias());
        }

        private Value headNorm(Value rows, String name, int heads) {
            if (!config.queryKeyNorm()) {
                return rows;
            }
            Value perHead = operators.reshape(rows, -1, config.headSize());
            Value normed = operators.rmsNorm(perHead, weight("self_attn." + name), config.normEpsilon());
            return operators.reshape(normed, -1, (long) heads * config.headSize());
        }

        private Value feedForward(Value normed) {
            Value gate = linear(normed, "mlp.gate_proj", config.feedForwardBias());
            Value up = linear(normed, "mlp.up_proj", config.feedForwardBias());
            return linear(operators.swiGlu(gate, up), "mlp.down_proj", config.feedForwardBias());
        }

        private Value linear(Value rows, String name, boolean bias) {
            return weights.linear(operators, rows, prefix + name, storesInputFirst(), bias);
        }

        private Value weight(String name) {
            return weights.value(prefix + name + ".weight");
        }
    }
}
