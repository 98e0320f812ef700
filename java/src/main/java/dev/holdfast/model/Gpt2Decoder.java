package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.List;

/**
 * GPT-2: learned positions, layer norm before each part of a block, linear layers with biases stored [in, out], tanh GELU.
 *
 * <p>Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019) §2.3.
 */
record Gpt2Decoder(ModelConfig config) implements Decoder {
    private static final String EMBEDDING = "transformer.wte.weight";
    private static final String POSITIONS = "transformer.wpe.weight";
    private static final String FINAL_NORM = "transformer.ln_f";
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
        return true;
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
        int hidden = config.hiddenSize();
        ParameterList list = new ParameterList(storesInputFirst());
        list.matrix(EMBEDDING, config.vocabularySize(), hidden);
        list.matrix(POSITIONS, config.maximumPositions(), hidden);
        for (int layer = 0; layer < config.layerCount(); layer++) {
            addBlock(list, prefix(layer));
        }
        addNorm(list, FINAL_NORM);
        if (!config.tiedHead()) {
            list.matrix(HEAD, config.vocabularySize(), hidden);
        }
        return list;
    }

    private void addBlock(ParameterList list, String prefix) {
        int hidden = config.hiddenSize();
        int inner = config.intermediateSize();
        addNorm(list, prefix + "ln_1");
        list.linear(prefix + "attn.c_attn", hidden, 3 * hidden, true);
        list.linear(prefix + "attn.c_proj", hidden, hidden, true);
        addNorm(list, prefix + "ln_2");
        list.linear(prefix + "mlp.c_fc", hidden, inner, true);
        list.linear(prefix + "mlp.c_proj", inner, hidden, true);
    }

    private void addNorm(ParameterList list, String name) {
        list.vector(name + ".weight", config.hiddenSize());
        list.vector(name + ".bias", config.hiddenSize());
    }

    private static String prefix(int layer) {
        return "transformer.h." + layer + ".";
    }

    @Override
    public Value hiddenStates(Operators operators, DecoderWeights weights, Sequence sequence) {
        Value tokens = operators.embedding(weights.value(EMBEDDING), sequence.inputIds());
        Value places = operators.embedding(weights.value(POSITIONS), sequence.positions());
        Value hidden = operators.reshape(operators.add(tokens, places), -1, config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            hidden = block(operators.in("layers." + layer), weights, sequence, layer, hidden);
        }
        return norm(operators, weights, hidden, FINAL_NORM);
    }

    private Value block(Operators operators, DecoderWeights weights, Sequence sequence, int layer, Value hidden) {
        String prefix = prefix(layer);
        Value joined =
                linear(operators, weights, norm(operators, weights, hidden, prefix + "ln_1"), prefix + "attn.c_attn");
        long width = config.hiddenSize();
        List<Value> parts = operators.split(joined, 1, width, width, width);
        Value mixed = sequence.attend(operators, layer, parts.get(0), parts.get(1), parts.get(2));
        Value attended = operators.add(hidden, linear(operators, weights, mixed, prefix + "attn.c_proj"));
        Value normed = norm(operators, weights, attended, prefix + "ln_2");
        Value inner = operators.gelu(linear(operators, weights, normed, prefix + "mlp.c_fc"), true);
        return operators.add(attended, linear(operators, weights, inner, prefix + "mlp.c_proj"));
    }

    private Value norm(Operators operators, DecoderWeights weights, Value hidden, String name) {
        return operators.layerNorm(
                hidden, weights.value(name + ".weight"), weights.value(name + ".bias"), config.normEpsilon());
    }

    private Value linear(Operators operators, DecoderWeights weights, Value rows, String name) {
        return weights.linear(operators, rows, name, storesInputFirst(), true);
    }
}
