package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import dev.holdfast.weights.LoraConfig;
import java.util.Optional;

/**
 * What adapters add to a graph: {@code y = W·x + scale·B·A·dropout(x)}, by two products of which the second adds to what the layer gave.
 *
 * @param adapters which layers have one
 * @param scale what B·A·x is multiplied with
 * @param dropoutKey INT64[...], what the masks of this run follow from; none where nothing is dropped
 */
public record LowRankBranch(LowRankAdapters adapters, float scale, Optional<Value> dropoutKey) {
    /** The branch as it is trained, with its own scale. */
    public static LowRankBranch of(LowRankAdapters adapters, Optional<Value> dropoutKey) {
        return new LowRankBranch(adapters, (float) adapters.config().scale(), dropoutKey);
    }

    Value addTo(Value frozen, Operators operators, Value rows, String layer, DecoderWeights weights) {
        return adapters.indexOf(layer)
                .map(index -> {
                    Value down = weights.value(LoraConfig.down(layer));
                    Value up = weights.value(LoraConfig.up(layer));
                    Value low = operators.gemm(dropped(operators, rows, index), false, down, true, null);
                    return operators.gemm(low, false, up, true, scale, frozen);
                })
                .orElse(frozen);
    }

    private Value dropped(Operators operators, Value rows, int index) {
        float ratio = (float) adapters.config().dropout();
        return dropoutKey
                .map(key -> operators.seededDropout(rows, key, ratio, index))
                .orElse(rows);
    }
}
