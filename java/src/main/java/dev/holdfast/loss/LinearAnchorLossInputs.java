package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Optional;

/**
 * The tokens of which the loss is taken, by hidden states. Columns that one model's vocabulary lacks count as −∞ there.
 *
 * @param student the model in training: hidden states [N, H], head [V, H]
 * @param anchor what the student is pulled towards, of the same N tokens
 * @param labels INT64[N] in [0, V), or {@link AnchorLossInputs#IGNORE_INDEX}
 * @param weights FLOAT[N], finite; weight 0 removes a token
 * @param alphas FLOAT[N] in [0, 1]: 0 = snapshot, 1 = reference; needed where a reference is mixed
 */
public record LinearAnchorLossInputs(
        LinearLogits student, LinearAnchor anchor, HostTensor labels, HostTensor weights, Optional<HostTensor> alphas) {

    public LinearAnchorLossInputs {
        Shape perToken = Shape.of(student.tokenCount());
        require("labels", labels, ElementType.INT64, perToken);
        require("weights", weights, ElementType.FLOAT, perToken);
        alphas.ifPresent(values -> require("alphas", values, ElementType.FLOAT, perToken));
        anchor.snapshotSide().ifPresent(side -> requireTokens("snapshot", side, student.tokenCount()));
        anchor.referenceSide().ifPresent(side -> requireTokens("reference", side, student.tokenCount()));
        if (anchor instanceof LinearAnchor.Mean mean
                && !mean.mean().shape().equals(student.hidden().shape())) {
            throw new IllegalArgumentException(
                    "mean: expected FLOAT" + student.hidden().shape() + ", got " + mean.mean());
        }
    }

    static void requireTokens(String name, LinearLogits side, long tokenCount) {
        if (side.tokenCount() != tokenCount) {
            throw new IllegalArgumentException(
                    name + ": expected hidden states of " + tokenCount + " tokens, got " + side.hidden());
        }
    }

    static void require(String name, HostTensor tensor, ElementType type, Shape shape) {
        if (tensor.elementType() != type || !tensor.shape().equals(shape)) {
            throw new IllegalArgumentException(name + ": expected " + type + shape + ", got " + tensor);
        }
    }
}
