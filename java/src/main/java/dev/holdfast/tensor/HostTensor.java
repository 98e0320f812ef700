package dev.holdfast.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * A dense row-major tensor in host memory, little-endian, backed by a direct buffer of at most 2 GiB.
 *
 * <p>Ownership: the buffer belongs to the garbage collector (or to the mapped file it was cut from). Thread safety: as the
 * buffer's; reading from several threads is safe while nobody writes.
 */
public final class HostTensor {
    private final ElementType elementType;
    private final Shape shape;
    private final ByteBuffer buffer;

    private HostTensor(ElementType elementType, Shape shape, ByteBuffer buffer) {
        this.elementType = elementType;
        this.shape = shape;
        this.buffer = buffer;
    }

    /**
     * A tensor of zeros.
     *
     * @throws IllegalArgumentException if it would exceed 2 GiB
     */
    public static HostTensor allocate(ElementType elementType, Shape shape) {
        long sizeBytes = shape.elementCount() * elementType.sizeBytes();
        if (sizeBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "tensor " + shape + " " + elementType + ": expected at most 2147483647 bytes, got " + sizeBytes);
        }
        return new HostTensor(
                elementType, shape, ByteBuffer.allocateDirect((int) sizeBytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    /**
     * A tensor over the remaining bytes of a buffer; nothing is copied.
     *
     * @throws IllegalArgumentException if the buffer is not direct or its remaining bytes are not exactly the tensor's
     */
    public static HostTensor wrap(ElementType elementType, Shape shape, ByteBuffer buffer) {
        long expected = shape.elementCount() * elementType.sizeBytes();
        if (!buffer.isDirect() || buffer.remaining() != expected) {
            throw new IllegalArgumentException("tensor " + shape + " " + elementType + ": expected a direct buffer of "
                    + expected + " bytes, got " + buffer);
        }
        return new HostTensor(elementType, shape, buffer.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    /** A FLOAT tensor that holds a copy of the values. */
    public static HostTensor ofFloats(float[] values, long... dimensions) {
        HostTensor tensor = allocateFor(ElementType.FLOAT, values.length, dimensions);
        tensor.floats().put(values);
        return tensor;
    }

    /** An INT64 tensor that holds a copy of the values. */
    public static HostTensor ofLongs(long[] values, long... dimensions) {
        HostTensor tensor = allocateFor(ElementType.INT64, values.length, dimensions);
        tensor.longs().put(values);
        return tensor;
    }

    private static HostTensor allocateFor(ElementType elementType, int count, long... dimensions) {
        Shape shape = Shape.of(dimensions);
        if (shape.elementCount() != count) {
            throw new IllegalArgumentException(
                    "tensor " + shape + ": expected " + shape.elementCount() + " values, got " + count);
        }
        return allocate(elementType, shape);
    }

    /** The type of the elements. */
    public ElementType elementType() {
        return elementType;
    }

    /** The dimensions. */
    public Shape shape() {
        return shape;
    }

    /** How many elements there are. */
    public int elementCount() {
        return buffer.capacity() / elementType.sizeBytes();
    }

    /** Bytes of all elements. */
    public int sizeBytes() {
        return buffer.capacity();
    }

    /** All bytes, little-endian, as a view with a position of its own. */
    public ByteBuffer bytes() {
        return buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN).rewind();
    }

    /**
     * The elements of a FLOAT tensor as a view.
     *
     * @throws IllegalStateException if the tensor is of another type
     */
    public FloatBuffer floats() {
        require(ElementType.FLOAT);
        return bytes().asFloatBuffer();
    }

    /**
     * The elements of an INT64 tensor as a view.
     *
     * @throws IllegalStateException if the tensor is of another type
     */
    public LongBuffer longs() {
        require(ElementType.INT64);
        return bytes().asLongBuffer();
    }

    /** The elements of a FLOAT tensor, copied. */
    public float[] toFloatArray() {
        float[] values = new float[elementCount()];
        floats().get(values);
        return values;
    }

    /** The elements of an INT64 tensor, copied. */
    public long[] toLongArray() {
        long[] values = new long[elementCount()];
        longs().get(values);
        return values;
    }

    private void require(ElementType expected) {
        if (elementType != expected) {
            throw new IllegalStateException("tensor " + shape + ": expected " + expected + ", got " + elementType);
        }
    }

    @Override
    public String toString() {
        return elementType + shape.toString();
    }
}
