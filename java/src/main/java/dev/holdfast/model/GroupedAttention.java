package dev.holdfast.model;

import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.Arrays;
import java.util.List;

/**
 * Masked softmax attention of stock operators, with several query heads on one key and value head.
 *
 * <p>The queries of a group lie one below the other, so that one batched product serves them and nothing is repeated.
 */
final class GroupedAttention {
    private final ModelConfig config;
    private final HeadLayout layout;

    GroupedAttention(ModelConfig config, HeadLayout layout) {
        this.config = config;
        this.layout = layout;
    }

    /**
     * Rows of a group's queries from a mask of one query: [..., T, S] → [..., G·T, S].
     *
     * @param mask FLOAT[1, 1, T, S] or [B, 1, T, S]
     */
    Value groupMask(Operators operators, Value mask) {
        if (config.groupSize() == 1) {
            return mask;
        }
        Value[] copies = new Value[config.groupSize()];
        Arrays.fill(copies, mask);
        return operators.concat(2, copies);
    }

    /**
     * The attention.
     *
     * @param query FLOAT[B, headCount, T, headSize]
     * @param key FLOAT[B, keyValueHeadCount, S, headSize]
     * @param value as {@code key}
     * @param mask FLOAT[1 or B, 1, G·T, S], added to the scores
     * @return FLOAT[M, headCount·headSize]
     */
    Value attend(Operators operators, Value query, Value key, Value value, Value mask) {
        float scale = (float) (1 / Math.sqrt(config.headSize()));
        Value grouped = groupQueries(operators, query);
        Value scores = operators.add(operators.fusedMatMul(grouped, false, key, true, scale), mask);
        Value mixed = operators.matMul(operators.softmax(scores), value);
        return layout.join(operators, ungroup(operators, mixed, query), config.headCount());
    }

    private Value groupQueries(Operators operators, Value query) {
        if (config.groupSize() == 1) {
            return query;
        }
        return operators.reshape(query, 0, config.keyValueHeadCount(), -1, config.headSize());
    }

    private Value ungroup(Operators operators, Value mixed, Value query) {
        if (config.groupSize() == 1) {
            return mixed;
        }
        Value shape = operators.concat(
                0,
                operators.gather(layout.leadingShape(), operators.longs(0), 0),
                operators.longs(config.headCount()),
                operators.gather(layout.leadingShape(), operators.longs(1), 0),
                operators.longs(config.headSize()));
        List<Dimension> dimensions = query.type().dimensions();
        return operators.reshape(mixed, shape, dimensions);
    }
}
