package dev.holdfast.bench;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;

/**
 * A size and form of the loss fused with the LM head: hidden states and heads of floats, one α of 0.3, no cross-entropy.
 *
 * @param rows tokens N, at least 1
 * @param hidden hidden size H, at least 1
 * @param vocabulary logits of a token V, at least 1
 * @param operandType what operands of products are rounded to: FLOAT or BFLOAT16
 */
public record LinearKernelCase(
        int rows,
        int hidden,
        int vocabulary,
        ElementType operandType,
        Divergence divergence,
        Interpolation interpolation) {

    public LinearKernelCase {
        if (rows < 1 || hidden < 1 || vocabulary < 1) {
            throw new IllegalArgumentException("rows, hidden and vocabulary: expected at least 1, got " + rows + ", "
                    + hidden + " and " + vocabulary);
        }
        if (operandType != ElementType.FLOAT && operandType != ElementType.BFLOAT16) {
            throw new IllegalArgumentException("operandType: expected FLOAT or BFLOAT16, got " + operandType);
        }
    }

    /** Bytes that a variant has to move at least: heads and hidden states are read once, gradients written once. */
    long bytes(LinearVariant variant) {
        long matrices = (long) vocabulary * hidden * (variant.heads() + (variant.trainsHead() ? 1 : 0));
        long rowsMoved = (long) rows * hidden * (variant == LinearVariant.MU ? 3 : 4);
        return Float.BYTES * (matrices + rowsMoved);
    }

    /** Operations of a variant's products; those of the loss itself are not counted. */
    long operations(LinearVariant variant) {
        return 2L * variant.products() * rows * hidden * vocabulary;
    }
}
