package dev.holdfast.model;

import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import java.util.List;

/** Moves between rows of tokens [M, heads·headSize] and heads of sequences [B, heads, T, headSize]. */
final class HeadLayout {
    private final Value leadingShape;
    private final Dimension batch;
    private final Dimension length;
    private final int headSize;

    /** The layout of sequences whose ids are INT64[B, T]. */
    HeadLayout(Operators operators, Value inputIds, int headSize) {
        this.leadingShape = operators.shape(inputIds);
        this.batch = inputIds.type().dimension(0);
        this.length = inputIds.type().dimension(1);
        this.headSize = headSize;
    }

    Dimension length() {
        return length;
    }

    Value leadingShape() {
        return leadingShape;
    }

    /** [M, heads·headSize] → [B, T, heads·headSize]. */
    Value toSequences(Operators operators, Value rows, int heads) {
        Value shape = operators.concat(0, leadingShape, operators.longs((long) heads * headSize));
        return operators.reshape(rows, shape, List.of(batch, length, Dimension.of((long) heads * headSize)));
    }

    /** [M, heads·headSize] → [B, heads, T, headSize]. */
    Value split(Operators operators, Value rows, int heads) {
        Value shape = operators.concat(0, leadingShape, operators.longs(heads, headSize));
        List<Dimension> dimensions = List.of(batch, length, Dimension.of(heads), Dimension.of(headSize));
        return operators.transpose(operators.reshape(rows, shape, dimensions), 0, 2, 1, 3);
    }

    /** [B, heads, T, headSize] → [M, heads·headSize]. */
    Value join(Operators operators, Value heads, int headCount) {
        Value transposed = operators.transpose(heads, 0, 2, 1, 3);
        return operators.reshape(transposed, -1, (long) headCount * headSize);
    }
}
