package dev.holdfast.tensor;

/**
 * A tensor somewhere in memory, of the host or of a device: rows along the last axis, each dense, at one distance from the next. It owns
 * nothing and keeps nothing alive; whoever makes it sees to it that the memory stays.
 *
 * @param memory whose address it is
 * @param address of the first element; 0 only if there are no elements
 * @param shape a scalar counts as one row of one element
 * @param rowStride elements from the start of one row to that of the next, at least the last dimension
 */
public record TensorView(Memory memory, long address, ElementType elementType, Shape shape, long rowStride) {

    /** Whose memory an address belongs to. */
    public enum Memory {
        HOST,
        /** That of the current CUDA device. */
        CUDA
    }

    public TensorView {
        if (rowStride < lastDimension(shape)) {
            throw new IllegalArgumentException(
                    "tensor " + shape + ": expected a row stride >= " + lastDimension(shape) + ", got " + rowStride);
        }
        if (shape.elementCount() > 0 && address == 0) {
            throw new IllegalArgumentException("tensor " + shape + ": expected an address, got 0");
        }
    }

    /** A tensor of dense rows. */
    public static TensorView dense(Memory memory, long address, ElementType elementType, Shape shape) {
        return new TensorView(memory, address, elementType, shape, lastDimension(shape));
    }

    /** Dense rows in memory of the host. */
    public static TensorView host(long address, ElementType elementType, Shape shape) {
        return dense(Memory.HOST, address, elementType, shape);
    }

    /** Dense rows in memory of the current CUDA device. */
    public static TensorView cuda(long address, ElementType elementType, Shape shape) {
        return dense(Memory.CUDA, address, elementType, shape);
    }

    /** The same rows at another distance. */
    public TensorView withRowStride(long elements) {
        return new TensorView(memory, address, elementType, shape, elements);
    }

    private static long lastDimension(Shape shape) {
        return shape.rank() == 0 ? 1 : shape.dimension(-1);
    }

    /** For example {@code CUDA FLOAT16[8, 151936]}. */
    @Override
    public String toString() {
        return memory + " " + elementType + shape
                + (rowStride == lastDimension(shape) ? "" : " of stride " + rowStride);
    }
}
