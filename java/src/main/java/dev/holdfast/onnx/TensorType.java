package dev.holdfast.onnx;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The element type and dimensions of a tensor in a graph.
 *
 * @param elementType the type of the elements
 * @param dimensions outermost first; empty for a scalar
 */
public record TensorType(ElementType elementType, List<Dimension> dimensions) implements ValueType {
    public TensorType {
        dimensions = List.copyOf(dimensions);
    }

    /** A type whose dimensions are given as numbers, symbols (String) or {@link Dimension}s. */
    public static TensorType of(ElementType elementType, Object... dimensions) {
        return new TensorType(
                elementType,
                Arrays.stream(dimensions).map(TensorType::dimensionOf).toList());
    }

    /** The type of a tensor of this shape. */
    public static TensorType of(ElementType elementType, Shape shape) {
        return new TensorType(
                elementType,
                Arrays.stream(shape.toArray()).mapToObj(Dimension::of).toList());
    }

    private static Dimension dimensionOf(Object dimension) {
        if (dimension instanceof Dimension given) {
            return given;
        }
        return dimension instanceof String symbol
                ? Dimension.of(symbol)
                : Dimension.of(((Number) dimension).longValue());
    }

    /** How many dimensions there are. */
    public int rank() {
        return dimensions.size();
    }

    /** The dimension at an axis; a negative axis counts from the end. */
    public Dimension dimension(int axis) {
        return dimensions.get(axis < 0 ? axis + rank() : axis);
    }

    /** The same element type with other dimensions. */
    public TensorType withDimensions(List<Dimension> other) {
        return new TensorType(elementType, other);
    }

    /** The same dimensions with another element type. */
    public TensorType withElementType(ElementType other) {
        return new TensorType(other, dimensions);
    }

    /** The same type with one dimension replaced; a negative axis counts from the end. */
    public TensorType withDimension(int axis, Dimension dimension) {
        List<Dimension> replaced = new ArrayList<>(dimensions);
        replaced.set(axis < 0 ? axis + rank() : axis, dimension);
        return withDimensions(replaced);
    }

    /** The product of all dimensions. */
    public Dimension elementCount() {
        return dimensions.stream().reduce(Dimension.of(1), Dimension::times);
    }

    /**
     * The shape, where every dimension is fixed.
     *
     * @throws IllegalStateException if one is not
     */
    public Shape shape() {
        return Shape.of(dimensions.stream().mapToLong(Dimension::size).toArray());
    }

    /** For example {@code FLOAT[B, T, 576]}. */
    @Override
    public String toString() {
        return elementType + dimensions.toString();
    }
}
