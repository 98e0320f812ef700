package dev.holdfast.model;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Continuations of sequences whose keys and values are kept between runs, with the inputs and outputs that onnxruntime-genai expects
 * of a decoder: {@code input_ids}, {@code attention_mask}, {@code position_ids}, {@code past_key_values.N.key|value} in,
 * {@code present.N.key|value} out.
 *
 * <p>The mask may leave out tokens anywhere, so sequences may be padded on either side.
 */
public final class CachedSequence implements Sequence {
    // Finite, so that a padded row that sees nothing gives no NaN that a later row could read.
    private static final float MASKED = -1e30f;

    private static final Dimension BATCH = Dimension.of("batch_size");
    private static final Dimension LENGTH = Dimension.of("sequence_length");
    private static final Dimension PAST = Dimension.of("past_sequence_length");
    private static final Dimension TOTAL = Dimension.of("total_sequence_length");

    private final ModelConfig config;
    private final Value inputIds;
    private final Value positions;
    private final HeadLayout layout;
    private final GroupedAttention attention;
    private final Value mask;
    private final Rotation rotation;
    private final Value rotationRows;
    private final List<Value> presents = new ArrayList<>();

    /** Adds the inputs of the decoder to the graph, and what all layers share. */
    public CachedSequence(Operators operators, ModelConfig config) {
        Graph graph = operators.graph();
        this.config = config;
        this.inputIds = graph.input("input_ids", TensorType.of(ElementType.INT64, BATCH, LENGTH));
        Value attentionMask = graph.input("attention_mask", TensorType.of(ElementType.INT64, BATCH, TOTAL));
        this.positions = graph.input("position_ids", TensorType.of(ElementType.INT64, BATCH, LENGTH));
        for (int layer = 0; layer < config.layerCount(); layer++) {
            graph.input(past(layer, "key"), cacheType(PAST));
            graph.input(past(layer, "value"), cacheType(PAST));
        }
        this.layout = new HeadLayout(operators, inputIds, config.headSize());
        this.attention = new GroupedAttention(config, layout);
        this.mask = attention.groupMask(operators, causalMask(operators, attentionMask));
        this.rotation = config.rotary() == null ? null : rotation(operators);
        this.rotationRows = config.rotary() == null ? null : rotationRows(operators);
    }

    private static String past(int layer, String part) {
        return "past_key_values." + layer + "." + part;
    }

    private TensorType cacheType(Dimension length) {
        return TensorType.of(ElementType.FLOAT, BATCH, config.keyValueHeadCount(), length, config.headSize());
    }

    /** A query at place i of the whole sequence sees the places up to i that the mask leaves in. */
    private Value causalMask(Operators operators, Value attentionMask) {
        Value total = operators.gather(operators.shape(attentionMask), operators.longScalar(1), 0);
        Value length = operators.gather(layout.leadingShape(), operators.longScalar(1), 0);
        Value keyPlaces = operators.range(total, TOTAL);
        Value queryPlaces = operators.add(operators.range(length, LENGTH), operators.sub(total, length));
        Value causal = operators.lessOrEqual(operators.unsqueeze(keyPlaces, 0), operators.unsqueeze(queryPlaces, 1));
        Value present = operators.lessOrEqual(operators.longScalar(1), operators.unsqueeze(attentionMask, 1, 2));
        Value zero = operators.floatScalar(0);
        Value masked = operators.floatScalar(MASKED);
        return operators.add(operators.where(causal, zero, masked), operators.where(present, zero, masked));
    }

    /** One row of cosines and sines for each token: B·T rows, where a table of all positions could be many megabytes. */
    private Rotation rotation(Operators operators) {
        return Rotation.at(operators, operators.reshape(positions, -1), config.rotary());
    }

    private Value rotationRows(Operators operators) {
        Value flat = operators.reshape(positions, -1);
        Value count = operators.squeeze(operators.shape(flat), 0);
        Value rows = operators.range(count, BATCH.times(LENGTH));
        return operators.reshape(rows, layout.leadingShape(), positions.type().dimensions());
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
        Value allKeys = extend(operators, layer, "key", keyHeads);
        Value allValues = extend(operators, layer, "value", valueHeads);
        return attention.attend(operators, queryHeads, allKeys, allValues, mask);
    }

    private Value rotate(Operators operators, Value heads) {
        return rotation == null
                ? heads
                : operators.rotaryEmbedding(heads, rotationRows, rotation.cosines(), rotation.sines());
    }

    private Value extend(Operators operators, int layer, String part, Value heads) {
        Value past = operators.graph().value(past(layer, part));
        Value present = operators
                .graph()
                .addTyped(
                        Operator.CONCAT.operatorName(),
                        List.of(past, heads),
                        Attributes.of("axis", 2),
                        List.of("present." + layer + "." + part),
                        List.of(cacheType(TOTAL)))
                .output();
        presents.add(present);
        return present;
    }

    /** The keys and values of all tokens so far, key and value of each layer in turn; complete once every layer is built. */
    public List<Value> presents() {
        return Collections.unmodifiableList(presents);
    }
}
