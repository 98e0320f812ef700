package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;

/**
 * Whole sequences from their first token on, right-padded: a token attends to itself and to what stands before it, so padding never
 * reaches a real token and no mask input is needed.
 *
 * <p>Built of stock operators, for graphs that plain ONNX Runtime loads.
 */
public final class FullSequence implements Sequence {
    private static final float MASKED = -Float.MAX_VALUE / 2;

    private final ModelConfig config;
    private final Value inputIds;
    private final Value positions;
    private final HeadLayout layout;
    private final GroupedAttention attention;
    private final Value mask;
    private final Rotation rotation;

    /**
     * Appends what all layers share: positions, mask and rotation.
     *
     * @param inputIds INT64[B, T]
     */
    public FullSequence(Operators operators, ModelConfig config, Value inputIds) {
        this.config = config;
        this.inputIds = inputIds;
        this.layout = new HeadLayout(operators, inputIds, config.headSize());
        this.attention = new GroupedAttention(config, layout);
        this.positions = positions(operators, layout);
        this.mask = attention.groupMask(operators, causalMask(operators, positions));
        this.rotation = config.rotary() == null ? null : Rotation.at(operators, positions, config.rotary());
    }

    static Value positions(Operators operators, HeadLayout layout) {
        Value length = operators.squeeze(operators.gather(layout.leadingShape(), operators.longs(1), 0), 0);
        return operators.range(length, layout.length());
    }

    private static Value causalMask(Operators operators, Value positions) {
        Value sees = operators.lessOrEqual(operators.unsqueeze(positions, 0), operators.unsqueeze(positions, 1));
        Value mask = operators.where(sees, operators.floatScalar(0), operators.floatScalar(MASKED));
        return operators.unsqueeze(mask, 0, 1);
    }

    @Override
    public Value inputIds() {
        return inputIds;
    }

    @Override
    public Value positions() {
        return positions;
    }

    @Override
    public Value attend(Operators operators, int layer, Value query, Value key, Value value) {
        Value queryHeads = rotate(operators, layout.split(operators, query, config.headCount()));
        Value keyHeads = rotate(operators, layout.split(operators, key, config.keyValueHeadCount()));
        Value valueHeads = layout.split(operators, value, config.keyValueHeadCount());
        return attention.attend(operators, queryHeads, keyHeads, valueHeads, mask);
    }

    private Value rotate(Operators operators, Value heads) {
        return rotation == null
                ? heads
                : operators.rotaryEmbedding(heads, operators.longs(0), rotation.cosines(), rotation.sines());
    }
}
