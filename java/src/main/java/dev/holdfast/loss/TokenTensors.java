package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;

/** Which types and shapes the tensors of N tokens must have, wherever they lie. */
final class TokenTensors {
    private TokenTensors() {}

    /** Rows of at least one logit for each of the student's tokens. */
    static void requireLogits(String name, ElementType type, Shape shape, Shape student) {
        if (type != ElementType.FLOAT && type != ElementType.FLOAT16 && type != ElementType.BFLOAT16) {
            throw new IllegalArgumentException(name + ": expected FLOAT, FLOAT16 or BFLOAT16, got " + type);
        }
        if (shape.rank() != 2
                || shape.dimension(1) < 1
                || student.rank() != 2
                || shape.dimension(0) != student.dimension(0)) {
            throw new IllegalArgumentException(name + ": expected a row of at least one logit per token, got " + shape
                    + " beside a student of " + student);
        }
    }

    /** A tensor of exactly this type and shape. */
    static void require(String name, ElementType type, Shape shape, ElementType expectedType, long... expected) {
        Shape expectedShape = Shape.of(expected);
        if (type != expectedType || !shape.equals(expectedShape)) {
            throw new IllegalArgumentException(
                    name + ": expected " + expectedType + expectedShape + ", got " + type + shape);
        }
    }

    /** Mixing weights come exactly with a reference. */
    static void requireAlphas(boolean hasReference, boolean hasAlphas) {
        if (hasReference != hasAlphas) {
            throw new IllegalArgumentException("alphas: expected exactly with a reference, got "
                    + (hasAlphas ? "alphas without one" : "none beside one"));
        }
    }
}
