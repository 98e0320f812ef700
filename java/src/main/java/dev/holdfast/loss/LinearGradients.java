package dev.holdfast.loss;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Optional;

/**
 * Which gradients {@link LinearAnchorLoss} computes, and where they go.
 *
 * @param hidden by the student's hidden states; empty: not wanted
 * @param head by the student's head; empty: not wanted, as with a frozen head
 */
public record LinearGradients(Optional<Target> hidden, Optional<Target> head) {

    /**
     * Memory of one gradient.
     *
     * @param tensor FLOAT of the shape of what the gradient is by
     * @param accumulates whether the gradient is added to what the tensor holds, as that of a tied embedding is
     */
    public record Target(HostTensor tensor, boolean accumulates) {}

    /** No gradient: the loss alone. */
    public static LinearGradients none() {
        return new LinearGradients(Optional.empty(), Optional.empty());
    }

    /** Both gradients in new tensors. */
    public static LinearGradients of(LinearLogits student) {
        return new LinearGradients(
                Optional.of(allocate(student.hidden().shape())),
                Optional.of(allocate(student.head().shape())));
    }

    /** The gradient by hidden states alone, in a new tensor. */
    public static LinearGradients ofHidden(LinearLogits student) {
        return new LinearGradients(Optional.of(allocate(student.hidden().shape())), Optional.empty());
    }

    private static Target allocate(Shape shape) {
        return new Target(HostTensor.allocate(ElementType.FLOAT, shape), false);
    }

    void requireFor(LinearLogits student) {
        hidden.ifPresent(target -> LinearAnchorLossInputs.require(
                "hidden gradient",
                target.tensor(),
                ElementType.FLOAT,
                student.hidden().shape()));
        head.ifPresent(target -> LinearAnchorLossInputs.require(
                "head gradient",
                target.tensor(),
                ElementType.FLOAT,
                student.head().shape()));
    }
}
