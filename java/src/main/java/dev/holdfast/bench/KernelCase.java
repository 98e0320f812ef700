package dev.holdfast.bench;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.tensor.ElementType;

/**
 * A size and form of the anchor loss: gradient included, in place of the student's logits, with one α of 0.3 and no cross-entropy.
 *
 * @param rows tokens N, at least 1
 * @param vocabulary logits of a token V, at least 1
 * @param type of the logits and of the gradient: FLOAT, FLOAT16 or BFLOAT16
 */
public record KernelCase(
        int rows, int vocabulary, ElementType type, Divergence divergence, Interpolation interpolation) {
    static final float ALPHA = 0.3f;
    static final float BETA = 0.5f;

    /** Three rows of logits are read and one of gradients is written; whoever moves less does not compute the loss. */
    private static final int ROWS_MOVED = 4;

    public KernelCase {
        if (rows < 1 || vocabulary < 1) {
            throw new IllegalArgumentException(
                    "rows and vocabulary: expected at least 1, got " + rows + " and " + vocabulary);
        }
        if (type != ElementType.FLOAT && type != ElementType.FLOAT16 && type != ElementType.BFLOAT16) {
            throw new IllegalArgumentException("type: expected FLOAT, FLOAT16 or BFLOAT16, got " + type);
        }
    }

    /** Bytes of the logits of one side. */
    public long sideBytes() {
        return (long) rows * vocabulary * type.sizeBytes();
    }

    /** Bytes that any implementation has to move between memory and processor at least. */
    public long bytes() {
        return ROWS_MOVED * sideBytes();
    }

    /**
     * Operations of the formulas as they are written, an exponential or a logarithm counted as one: three for a log-softmax (subtract,
     * exponential, add; the maximum and the division by the temperature are not counted) of each side that is normalised, then the
     * mixture, the divergence and the gradient.
     */
    public long operations() {
        int mixture = interpolation == Interpolation.LOGIT ? 3 + 3 : 2 * 3 + 2 + 3 + 1;
        int divergenceAndGradient =
                switch (divergence) {
                    case FORWARD_KL -> 1 + 3 + 2;
                    case REVERSE_KL -> 3 + 3;
                    case JSD -> 1 + 4 + 6 + 4;
                };
        return (long) rows * vocabulary * (3 + mixture + divergenceAndGradient);
    }
}
