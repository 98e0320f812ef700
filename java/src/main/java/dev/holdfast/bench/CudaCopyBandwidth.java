package dev.holdfast.bench;

import dev.holdfast.natives.CudaLibrary;
import dev.holdfast.natives.CudaMemory;

/** How fast the current device copies its own memory: the rate that a kernel which reads and writes everything once cannot exceed. */
final class CudaCopyBandwidth {
    /** So much that the end of the wait for a copy, which is measured with it, hardly counts. */
    private static final long MOST_BYTES = 4L << 30;

    private static final int PARTS_OF_MEMORY = 16;
    private static final int RUNS = 7;

    private CudaCopyBandwidth() {}

    /**
     * Bytes read and written a second; the best of several runs.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if there is no device
     */
    static double measure() {
        CudaLibrary library = CudaLibrary.load();
        long bytes = Math.min(MOST_BYTES, library.device().memoryBytes() / PARTS_OF_MEMORY);
        double shortest = Double.POSITIVE_INFINITY;
        try (CudaMemory source = CudaMemory.allocate(bytes);
                CudaMemory target = CudaMemory.allocate(bytes)) {
            for (int run = 0; run < RUNS; run++) {
                shortest = Math.min(shortest, library.milliseconds(0, () -> target.copyFrom(source, 0, 0, bytes)));
            }
        }
        return 2 * bytes / (shortest / 1e3);
    }
}
