package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/**
 * The CUDA half of the native library, a file of its own that only builds with CUDA have. It is opened at first use and stays for the life
 * of the process. Thread safety: all methods may be called from any thread.
 */
public final class CudaLibrary {
    /** The environment variable that names another build of the kernels. */
    public static final String FILE_VARIABLE = "HOLDFAST_CUDA_LIBRARY";

    private static final String FILE_PROPERTY = "holdfast.cuda.library";
    private static final String FILE_NAME = "libholdfast_cuda.so";

    private final Path file;

    private CudaLibrary(Path file) {
        this.file = file;
    }

    /**
     * What a device says of itself.
     *
     * @param name as the driver has it
     * @param computeCapability for example 90 for sm_90
     * @param memoryBytes in all
     * @param cacheBytes of the cache that all multiprocessors share
     */
    public record DeviceFacts(
            String name, int computeCapability, int multiprocessorCount, long memoryBytes, long cacheBytes) {}

    /**
     * Opens the library, or returns it if it is open. It is the file that the system property {@code holdfast.cuda.library} or the
     * environment variable {@code HOLDFAST_CUDA_LIBRARY} names, otherwise the one of this build.
     *
     * @throws RuntimeFailureException if this build has none, or it cannot be loaded; the message says what to do
     */
    public static CudaLibrary load() {
        NativeLibrary.load();
        Path file = find();
        NativeStatus.check(HoldfastApi.openCudaLibrary(file.toString()));
        return new CudaLibrary(file);
    }

    private static Path find() {
        Optional<String> chosen = Optional.ofNullable(System.getProperty(FILE_PROPERTY))
                .or(() -> Optional.ofNullable(System.getenv(FILE_VARIABLE)));
        return chosen.map(Path::of).orElseGet(CudaLibrary::ofThisBuild).toAbsolutePath();
    }

    private static Path ofThisBuild() {
        String platform = Loader.getPlatform();
        if (!UnpackedLibraries.isPresent(platform, FILE_NAME)) {
            throw new RuntimeFailureException(FILE_NAME
                    + ": expected CUDA kernels in this build, found none; build it where nvcc is (tools/dev cuda-toolkit "
                    + "fetches one, then tools/dev build), or name the file in " + FILE_VARIABLE);
        }
        try {
            return UnpackedLibraries.folder(
                            platform, List.of(FILE_NAME), Loader.getCacheDir().toPath())
                    .resolve(FILE_NAME);
        } catch (IOException e) {
            throw new RuntimeFailureException(FILE_NAME + ": cannot be unpacked: " + e.getMessage(), e);
        }
    }

    /** The file that is open. */
    public Path file() {
        return file;
    }

    /** What the kernels were built with, for example {@code CUDA 13.1}. */
    public String name() {
        return HoldfastApi.cudaLibrary();
    }

    /**
     * The device that is current for this thread.
     *
     * @throws RuntimeFailureException if there is none, or no driver
     */
    public DeviceFacts device() {
        try (HoldfastApi.CudaDevice device = new HoldfastApi.CudaDevice()) {
            NativeStatus.check(HoldfastApi.cudaCurrentDevice(device.structSize(device.sizeof())));
            return new DeviceFacts(
                    device.name(),
                    device.computeCapability(),
                    device.multiprocessorCount(),
                    device.memoryBytes(),
                    device.cacheBytes());
        }
    }

    /**
     * Waits for the work on a stream.
     *
     * @param stream a {@code cudaStream_t}; 0 for the default stream
     * @throws dev.holdfast.error.DeviceFailureException if a kernel failed
     */
    public void synchronize(long stream) {
        NativeStatus.check(HoldfastApi.cudaSynchronize(stream));
    }

    /**
     * Milliseconds that the device takes for the work which this enqueues on a stream, by its own clock; waits for it.
     *
     * @param stream as in {@link #synchronize}
     */
    public double milliseconds(long stream, Runnable work) {
        long[] timer = new long[1];
        float[] milliseconds = new float[1];
        NativeStatus.check(HoldfastApi.cudaStartTimer(stream, timer));
        try {
            work.run();
        } finally {
            NativeStatus.check(HoldfastApi.cudaStopTimer(timer[0], stream, milliseconds));
        }
        return milliseconds[0];
    }
}
