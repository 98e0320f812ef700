package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;

/**
 * Logits as a product that is still to be computed: {@code hidden · headᵀ}.
 *
 * <p>Models share a head if it is the same memory; equal numbers elsewhere are another head.
 *
 * @param hidden last hidden states [N, H]: FLOAT, FLOAT16 or BFLOAT16
 * @param head the LM head [V, H]: FLOAT or BFLOAT16
 */
public record LinearLogits(HostTensor hidden, HostTensor head) {

    public LinearLogits {
        requireMatrix("hidden", hidden);
        requireMatrix("head", head);
        if (hidden.shape().dimension(1) != head.shape().dimension(1)) {
            throw new IllegalArgumentException("head: expected rows of "
                    + hidden.shape().dimension(1) + " elements, as hidden states have, got " + head);
        }
    }

    /** The same head under other hidden states. */
    public LinearLogits withHidden(HostTensor other) {
        return new LinearLogits(other, head);
    }

    /** N. */
    public long tokenCount() {
        return hidden.shape().dimension(0);
    }

    /** H. */
    public long hiddenSize() {
        return hidden.shape().dimension(1);
    }

    /** V. */
    public long vocabularySize() {
        return head.shape().dimension(0);
    }

    private static void requireMatrix(String name, HostTensor tensor) {
        ElementType type = tensor.elementType();
        boolean isFloat = type == ElementType.FLOAT || type == ElementType.FLOAT16 || type == ElementType.BFLOAT16;
        if (!isFloat || tensor.shape().rank() != 2) {
            throw new IllegalArgumentException(
                    name + ": expected a matrix of FLOAT, FLOAT16 or BFLOAT16, got " + tensor);
        }
    }
}
