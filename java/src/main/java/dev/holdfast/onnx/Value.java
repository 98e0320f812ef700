package dev.holdfast.onnx;

import java.util.Optional;

/** A named edge of a graph: an input, an initializer, or an output of a node. Two values are equal only if they are the same. */
public final class Value {
    private final String name;
    private final ValueType type;
    private final Node producer;

    Value(String name, ValueType type, Node producer) {
        this.name = name;
        this.type = type;
        this.producer = producer;
    }

    /** The name, unique in its graph. */
    public String name() {
        return name;
    }

    /** The type, if it is known: values of a file that was read may have none. */
    public Optional<ValueType> knownType() {
        return Optional.ofNullable(type);
    }

    /**
     * The tensor type.
     *
     * @throws IllegalStateException if it is not known or the value is not a tensor
     */
    public TensorType type() {
        if (type instanceof TensorType tensorType) {
            return tensorType;
        }
        throw new IllegalStateException("value " + name + ": expected a tensor of known type, got " + type);
    }

    /** The node that computes this value; none for inputs and initializers. */
    public Optional<Node> producer() {
        return Optional.ofNullable(producer);
    }

    @Override
    public String toString() {
        return name + ":" + type;
    }
}
