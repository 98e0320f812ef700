package dev.holdfast.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The concrete dimensions of a tensor, outermost first. A scalar has none. */
public final class Shape {
    private final long[] dimensions;

    private Shape(long[] dimensions) {
        this.dimensions = dimensions;
    }

    /**
     * A shape of these dimensions, outermost first.
     *
     * @throws IllegalArgumentException if a dimension is negative or the element count overflows a long
     */
    public static Shape of(long... dimensions) {
        long count = 1;
        for (long dimension : dimensions) {
            if (dimension < 0) {
                throw new IllegalArgumentException(
                        "shape: expected dimensions >= 0, got " + Arrays.toString(dimensions));
            }
            try {
                count = Math.multiplyExact(count, dimension);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException("shape: element count overflows: " + Arrays.toString(dimensions), e);
            }
        }
        return new Shape(dimensions.clone());
    }

    /** How many dimensions there are. */
    public int rank() {
        return dimensions.length;
    }

    /** The dimension at this axis; a negative axis counts from the end. */
    public long dimension(int axis) {
        return dimensions[axis < 0 ? axis + dimensions.length : axis];
    }

    /** A copy of the dimensions, outermost first. */
    public long[] toArray() {
        return dimensions.clone();
    }

    /** The product of the dimensions; 1 for a scalar. */
    public long elementCount() {
        long count = 1;
        for (long dimension : dimensions) {
            count *= dimension;
        }
        return count;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dimensions, shape.dimensions);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dimensions);
    }

    /** For example {@code [2, 3]}. */
    @Override
    public String toString() {
        return Arrays.stream(dimensions).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
