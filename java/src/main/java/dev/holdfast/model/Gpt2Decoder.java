package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.List;
import java.util.function.Function;

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
    public List<Parameter> parameters() {
        int hidden = config.hiddenSize();
        ParameterList parameters = new ParameterList();
        parameters.matrix(EMBEDDING, config.vocabularySize(), hidden);
        parameters.matrix(POSITIONS, config.maximumPositions(), hidden);
        for (int layer = 0; layer < config.layerCount(); layer++) {
            addBlock(parameters, prefix(layer));
        }
        addNorm(parameters, FINAL_NORM);
        if (!config.tiedHead()) {
            parameters.matrix(HEAD, config.vocabularySize(), hidden);
        }
        return parameters.list();
    }

    private void addBlock(ParameterList parameters, String prefix) {
        int hidden = config.hiddenSize();
        int inner = config.intermediateSize();
        addNorm(parameters, prefix + "ln_1");
        parameters.linear(prefix + "attn.c_attn", hidden, 3 * hidden, 3 * hidden);
        parameters.linear(prefix + "attn.c_proj", hidden, hidden, hidden);
        addNorm(parameters, prefix + "ln_2");
        parameters.linear(prefix + "mlp.c_fc", hidden, inner, inner);
        parameters.linear(prefix + "mlp.c_proj", inner, hidden, hidden);
    }

    private void addNorm(ParameterList parameters, String name) {
        parameters.vector(name + ".weight", config.hiddenSize());
        parameters.vector(name + ".bias", config.hiddenSize());
    }

    private static String prefix(int layer) {
        return "transformer.h." + layer + ".";
    }

    @Override
    public Value hiddenStates(Operators operators, Function<String, Value> parameter, Sequence sequence) {
        Value tokens = operators.gather(parameter.apply(EMBEDDING), sequence.inputIds(), 0);
        Value places = operators.gather(parameter.apply(POSITIONS), sequence.positions(), 0);
        Value hidden = operators.reshape(operators.add(tokens, places), -1, config.hiddenSize());
        for (int layer = 0; layer < config.layerCount(); layer++) {
            hidden = block(operators.in("layers." + layer), parameter, sequence, layer, hidden);
        }
        return norm(operators, parameter, hidden, FINAL_NORM);
    }

    private Value block(
            Operators operators, Function<String, Value> parameter, Sequence sequence, int layer, Value hidden) {
        String prefix = prefix(layer);
        Value joined = linear(
                operators, parameter, norm(operators, parameter, hidden, prefix + "ln_1"), prefix + "attn.c_attn");
        long width = config.hiddenSize();
        List<Value> parts = operators.split(joined, 1, width, width, width);
        Value mixed = sequence.attend(operators, layer, parts.get(0), parts.get(1), parts.get(2));
        Value attended = operators.add(hidden, linear(operators, parameter, mixed, prefix + "attn.c_proj"));
        Value normed = norm(operators, parameter, attended, prefix + "ln_2");
        Value inner = operators.gelu(linear(operators, parameter, normed, prefix + "mlp.c_fc"), true);
        return operators.add(attended, linear(operators, parameter, inner, prefix + "mlp.c_proj"));
    }

    private Value norm(Operators operators, Function<String, Value> parameter, Value hidden, String name) {
        return operators.layerNorm(
                hidden, parameter.apply(name + ".weight"), parameter.apply(name + ".bias"), config.normEpsilon());
    }

    private static Value linear(Operators operators, Function<String, Value> parameter, Value rows, String name) {
        return operators.gemm(rows, false, parameter.apply(name + ".weight"), false, parameter.apply(name + ".bias"));
    }
}
