package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;

/**
 * The cosines and sines of the positions of a graph, computed once and used by every layer.
 *
 * @param cosines FLOAT[positions, headSize / 2]
 * @param sines as {@code cosines}
 */
record Rotation(Value cosines, Value sines) {
    /** The rotation at these positions, INT64[P]. */
    static Rotation at(Operators operators, Value positions, RotaryEmbedding rotary) {
        Value column = operators.unsqueeze(operators.cast(positions, ElementType.FLOAT), 1);
        Value angles = operators.mul(column, operators.floats(rotary.frequencies()));
        return new Rotation(operators.cos(angles), operators.sin(angles));
    }
}
