package dev.holdfast.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.natives.CudaLibrary;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The CUDA kernels on an emulated device, as the C++ build makes them for tests, or on the machine's own where {@code tools/dev gpu-test}
 * asks for it. A process has one CUDA library: it is this one.
 */
public final class EmulatedCuda {
    private static final String ON_A_GPU = "HOLDFAST_GPU_TEST";
    private static final String PROPERTY = "holdfast.cuda.library";
    private static final String LIBRARY = "libholdfast_cuda_emulated.so";

    private EmulatedCuda() {}

    /** Opens the library; skips the test, with the reason, where it was not built. */
    public static CudaLibrary open() {
        if (System.getenv(ON_A_GPU) == null) {
            System.setProperty(PROPERTY, built(LIBRARY).toString());
        }
        return CudaLibrary.load();
    }

    /** A library that the C++ build makes for tests; skips the test, with the reason, where it was not built. */
    public static Path built(String library) {
        Path file = Path.of("build/native", library).toAbsolutePath();
        assumeTrue(Files.exists(file), file + ": not built; tools/dev test builds it where GoogleTest is");
        return file;
    }
}
