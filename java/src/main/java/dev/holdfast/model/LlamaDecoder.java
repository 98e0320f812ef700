package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.List;
import java.util.function.Function;

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
    public List<Parameter> parameters() {
        ParameterList parameters = new ParameterList();
        parameters.matrix(EMBEDDING, config.vocabularySize(), config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            addBlock(parameters, prefix(layer));
        }
        parameters.vector(FINAL_NORM, config.hiddenSize());
        if (!config.tiedHead()) {
            parameters.matrix(HEAD, config.vocabularySize(), config.hiddenSize());
        }
        return parameters.list();
    }

    private void addBlock(ParameterList parameters, String prefix) {
        int hidden = config.hiddenSize();
        parameters.vector(prefix + "input_layernorm.weight", hidden);
        parameters.linear(
                prefix + "self_attn.q_proj",
                config.queryWidth(),
                hidden,
                config.queryKeyValueBias() ? config.queryWidth() : 0);
        parameters.linear(
                prefix + "self_attn.k_proj",
                config.keyValueWidth(),
                hidden,
                config.queryKeyValueBias() ? config.keyValueWidth() : 0);
        parameters.linear(
                prefix + "self_attn.v_proj",
                config.keyValueWidth(),
                hidden,
                config.queryKeyValueBias() ? config.keyValueWidth() : 0);
        if (config.queryKeyNorm()) {
            parameters.vector(prefix + "self_attn.q_norm.weight", config.headSize());
            parameters.vector(prefix + "self_attn.k_norm.weight", config.headSize());
        }
        parameters.linear(
                prefix + "self_attn.o_proj", hidden, config.queryWidth(), config.attentionOutputBias() ? hidden : 0);
        parameters.vector(prefix + "post_attention_layernorm.weight", hidden);
        parameters.linear(
                prefix + "mlp.gate_proj",
                config.intermediateSize(),
                hidden,
                config.feedForwardBias() ? config.intermediateSize() : 0);
        parameters.linear(
                prefix + "mlp.up_proj",
                config.intermediateSize(),
                hidden,
                config.feedForwardBias() ? config.intermediateSize() : 0);
        parameters.linear(
                prefix + "mlp.down_proj", hidden, config.intermediateSize(), config.feedForwardBias() ? hidden : 0);
    }

    private static String prefix(int layer) {
        return "model.layers." + layer + ".";
    }

    @Override
    public Value hiddenStates(Operators operators, Function<String, Value> parameter, Sequence sequence) {
        Value embedded = operators.gather(parameter.apply(EMBEDDING), sequence.inputIds(), 0);
        Value hidden = operators.reshape(embedded, -1, config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            Operators inLayer = operators.in("layers." + layer);
            hidden = new Block(inLayer, parameter, prefix(layer), sequence, layer).apply(hidden);
        }
        return operators.rmsNorm(hidden, parameter.apply(FINAL_NORM), config.normEpsilon());
    }

    /** One block while it is being appended. */
    private final class Block {
        private final Operators operators;
        private final Function<String, Value> parameter;
        private final String prefix;
        private final Sequence sequence;
        private final int layer;

        Block(Operators operators, Function<String, Value> parameter, String prefix, Sequence sequence, int layer) {
            this.operators = operators;
            this.parameter = parameter;
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
            return operators.gemm(
                    rows, false, weight(name), true, bias ? parameter.apply(prefix + name + ".bias") : null);
        }

        private Value weight(String name) {
            return parameter.apply(prefix + name + ".weight");
        }
    }
}
