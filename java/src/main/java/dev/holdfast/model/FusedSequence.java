package dev.holdfast.model;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;

/** As {@link FullSequence}, with attention and rotation in one operator of Holdfast's native library, forward and backward. */
public final class FusedSequence implements Sequence {
    private final ModelConfig config;
    private final Value inputIds;
    private final HeadLayout layout;
    private final Value positions;
    private final Rotation rotation;

    /**
     * Appends what all layers share: positions and rotation.
     *
     * @param inputIds INT64[B, T]
     */
    public FusedSequence(Operators operators, ModelConfig config, Value inputIds) {
        this.config = config;
        this.inputIds = inputIds;
        this.layout = new HeadLayout(operators, inputIds, config.headSize());
        this.positions = FullSequence.positions(operators, layout);
        this.rotation = config.rotary() == null ? null : Rotation.at(operators, positions, config.rotary());
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
        Attributes attributes = Attributes.of(
                "num_heads", config.headCount(),
                "kv_num_heads", config.keyValueHeadCount(),
                "scale", (float) (1 / Math.sqrt(config.headSize())));
        Value output = operators
                .node(
                        Operator.CAUSAL_ATTENTION,
                        2,
                        attributes,
                        layout.toSequences(operators, query, config.headCount()),
                        layout.toSequences(operators, key, config.keyValueHeadCount()),
                        layout.toSequences(operators, value, config.keyValueHeadCount()),
                        rotation == null ? null : rotation.cosines(),
                        rotation == null ? null : rotation.sines())
                .output();
        return operators.reshape(output, -1, config.queryWidth());
    }
}
