package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.Optional;
import java.util.function.Function;

/** The parameters of a decoder as values of a graph, and the linear layers made of them, low-rank adapters included. */
public final class DecoderWeights {
    private final Function<String, Value> values;
    private final Optional<LowRankBranch> branch;

    private DecoderWeights(Function<String, Value> values, Optional<LowRankBranch> branch) {
        this.values = values;
        this.branch = branch;
    }

    /** Weights without adapters. */
    public static DecoderWeights of(Function<String, Value> values) {
        return new DecoderWeights(values, Optional.empty());
    }

    /** Weights with adapters, whose parameters are among the values. */
    public static DecoderWeights of(Function<String, Value> values, LowRankBranch branch) {
        return new DecoderWeights(values, Optional.of(branch));
    }

    /** The value of a parameter. */
    public Value value(String parameter) {
        return values.apply(parameter);
    }

    /**
     * A linear layer: {@code rows·Wᵀ + bias}, and what its adapter adds.
     *
     * @param rows FLOAT[M, in]
     * @param name of the module
     * @param inputFirst whether W is stored [in, out] rather than [out, in]
     * @return FLOAT[M, out]
     */
    Value linear(Operators operators, Value rows, String name, boolean inputFirst, boolean bias) {
        Value frozen =
                operators.gemm(rows, false, value(name + ".weight"), !inputFirst, bias ? value(name + ".bias") : null);
        return branch.map(adapters -> adapters.addTo(frozen, operators, rows, name, this))
                .orElse(frozen);
    }
}
