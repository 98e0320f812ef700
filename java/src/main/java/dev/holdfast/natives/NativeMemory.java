package dev.holdfast.natives;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** Direct buffers over native memory and the other way round; nothing is copied. */
public final class NativeMemory {
    private NativeMemory() {}

    /**
     * The bytes at a native address, little-endian.
     *
     * <p>Ownership: the memory stays its owner's. The buffer must not be used after the owner frees it; that reads or overwrites what is
     * not there, and may end the process.
     *
     * @param address the first byte; read only if there are bytes
     * @param sizeBytes how many, at most 2147483647
     * @throws IllegalArgumentException if the size is out of range, or the address is not positive and there are bytes
     */
    public static ByteBuffer view(long address, long sizeBytes) {
        if (sizeBytes < 0 || sizeBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("native memory: expected 0 to 2147483647 bytes, got " + sizeBytes);
        }
        if (sizeBytes == 0) {
            return ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        if (address <= 0) {
            throw new IllegalArgumentException("native memory: expected an address > 0, got " + address);
        }
        return new Region(address, sizeBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Where the first byte of a direct buffer lies, whatever its position; good for as long as the buffer is reachable.
     *
     * @throws IllegalArgumentException if the buffer is not direct
     */
    public static long address(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("native memory: expected a direct buffer, got " + buffer);
        }
        return buffer.capacity() == 0 ? 0 : new BytePointer(buffer.duplicate().clear()).address();
    }

    private static final class Region extends BytePointer {
        Region(long address, long sizeBytes) {
            super((Pointer) null);
            this.address = address;
            this.limit = sizeBytes;
            this.capacity = sizeBytes;
        }
    }
}
