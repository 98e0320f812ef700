package dev.holdfast.weights;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * A tensor to be written: what it is, and how to get its values when its turn comes, so that one at a time is in memory.
 *
 * @param name its name in the file
 * @param elementType its type in the file
 * @param shape its dimensions
 * @param values gives the values, asked once; a tensor of exactly this type and shape
 */
public record PendingTensor(String name, ElementType elementType, Shape shape, Supplier<HostTensor> values) {
    /** A tensor that is in memory already. */
    public static PendingTensor of(String name, HostTensor tensor) {
        return new PendingTensor(name, tensor.elementType(), tensor.shape(), () -> tensor);
    }

    /** A parameter of a source, as FLOAT; read when its turn comes. */
    public static PendingTensor of(WeightSource source, String name) {
        return new PendingTensor(name, ElementType.FLOAT, source.info(name).shape(), () -> source.readFloat(name));
    }

    /**
     * This tensor after a conversion of its values.
     *
     * @param type of the converted values
     */
    public PendingTensor converted(ElementType type, UnaryOperator<HostTensor> conversion) {
        return new PendingTensor(name, type, shape, () -> conversion.apply(values.get()));
    }

    long sizeBytes() {
        return Math.multiplyExact(shape.elementCount(), (long) elementType.sizeBytes());
    }

    HostTensor produce() {
        HostTensor tensor = values.get();
        if (tensor.elementType() != elementType || !tensor.shape().equals(shape)) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": expected " + elementType + shape + ", got " + tensor);
        }
        return tensor;
    }
}
