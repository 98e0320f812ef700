package dev.holdfast.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.natives.CudaLibrary;
import java.nio.file.Files;
import java.nio.file.Path;

/** The CUDA kernels on an emulated device, as the C++ build makes them for tests. A process has one CUDA library: it is this one. */
public final class EmulatedCuda {
    private static final String PROPERTY = "holdfast.cuda.library";
    private static final Path FILE = Path.of("build/native/libholdfast_cuda_emulated.so");

    private EmulatedCuda() {}

    /** Opens the library; skips the test, with the reason, where it was not built. */
    public static CudaLibrary open() {
        if (System.getProperty(PROPERTY) == null) {
            assumeTrue(Files.exists(FILE), FILE + ": not built; the C++ tests' build makes it (tools/dev test)");
            System.setProperty(PROPERTY, FILE.toAbsolutePath().toString());
        }
        return CudaLibrary.load();
    }
}
