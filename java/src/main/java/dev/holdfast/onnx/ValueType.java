package dev.holdfast.onnx;

import dev.holdfast.tensor.ElementType;

/** What a value of a graph is: a tensor, or a sequence of tensors (only optimizer graphs have those). */
public sealed interface ValueType permits TensorType, ValueType.SequenceOfTensors {
    /**
     * A sequence of tensors of any shape.
     *
     * @param elementType the type of the tensors' elements
     */
    record SequenceOfTensors(ElementType elementType) implements ValueType {}
}
