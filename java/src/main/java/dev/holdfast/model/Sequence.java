package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;

/**
 * How the tokens of a graph stand to each other: which ids come in, at which positions they are, and what they attend to.
 *
 * <p>Rows of all sequences lie flat: M = B·T tokens by width.
 */
public interface Sequence {
    /** The token ids, INT64[B, T]. */
    Value inputIds();

    /** The positions of the tokens, INT64[T] or [B, T]. */
    Value positions();

    /**
     * Causal attention of one layer, positions rotated where the model does that.
     *
     * @param operators where to append
     * @param layer from 0
     * @param query FLOAT[M, headCount·headSize]
     * @param key FLOAT[M, keyValueHeadCount·headSize]
     * @param value FLOAT[M, keyValueHeadCount·headSize]
     * @return FLOAT[M, headCount·headSize]
     */
    Value attend(Operators operators, int layer, Value query, Value key, Value value);
}
