package dev.holdfast.natives;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * Memory of the current CUDA device, for tests, benchmarks and occasional use. Copies wait for the work on the default stream.
 *
 * <p>Ownership: {@link #close} frees it; no work may use it then. Thread safety: as of the memory.
 */
public final class CudaMemory implements AutoCloseable {
    private final long sizeBytes;
    private long address;

    private CudaMemory(long address, long sizeBytes) {
        this.address = address;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Memory with unknown content, aligned to 256 bytes.
     *
     * @param sizeBytes at least 0
     * @throws dev.holdfast.error.RuntimeFailureException if the device has not as much, or there are no CUDA kernels
     */
    public static CudaMemory allocate(long sizeBytes) {
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("CUDA memory: expected a size of 0 bytes or more, got " + sizeBytes);
        }
        CudaLibrary.load();
        long[] address = new long[1];
        NativeStatus.check(HoldfastApi.cudaAllocate(sizeBytes, address));
        return new CudaMemory(address[0], sizeBytes);
    }

    /** Where it begins; 0 if it is empty. */
    public long address() {
        return address;
    }

    /** How many bytes there are. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * Copies all bytes of a direct buffer to the beginning of this memory.
     *
     * @throws IllegalArgumentException if they are more than there is room for
     */
    public void copyFrom(ByteBuffer host) {
        copy(address, NativeMemory.address(host), 0, host.capacity());
        Reference.reachabilityFence(host);
    }

    /**
     * Fills a direct buffer with the first bytes of this memory.
     *
     * @throws IllegalArgumentException if the buffer is larger
     */
    public void copyTo(ByteBuffer host) {
        copy(NativeMemory.address(host), address, 0, host.capacity());
        Reference.reachabilityFence(host);
    }

    /**
     * Copies bytes of other memory of the device into this.
     *
     * @param offset where in this memory they go
     * @param source where they lie; {@code count} bytes from {@code sourceOffset} must be there
     * @throws IllegalArgumentException if they do not lie in either memory
     */
    public void copyFrom(CudaMemory source, long sourceOffset, long offset, long count) {
        source.require(sourceOffset, count);
        copy(address + offset, source.address + sourceOffset, offset, count);
    }

    private void copy(long target, long source, long offset, long count) {
        require(offset, count);
        NativeStatus.check(HoldfastApi.cudaCopy(target, source, count, 0));
    }

    private void require(long offset, long count) {
        if (offset < 0 || count < 0 || count > sizeBytes - offset) {
            throw new IllegalArgumentException("CUDA memory of " + sizeBytes + " bytes: expected a range inside, got "
                    + count + " bytes from " + offset);
        }
    }

    @Override
    public void close() {
        NativeStatus.check(HoldfastApi.cudaFree(address));
        address = 0;
    }
}
