package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/**
 * Holdfast's own native library: its kernels and, in the same file, its operators for ONNX Runtime.
 *
 * <p>It is loaded at first use and stays for the life of the process, so ONNX Runtime can register operators from it and drop its own
 * handle without unloading code in use. Thread safety: all methods may be called from any thread.
 */
public final class NativeLibrary {
    /** The environment variable that caps the instruction set of the kernels. */
    public static final String INSTRUCTION_SET_VARIABLE = "HOLDFAST_CPU_INSTRUCTION_SET";

    private static final String INSTRUCTION_SET_PROPERTY = "holdfast.cpu.instruction_set";
    private static final String UNCAPPED = "native";
    private static final int EXPECTED_VERSION = 1;
    private static final String FILE_NAME = "libholdfast.so";
    private static final String BINDING_NAME = "libjniholdfast.so";

    private static NativeLibrary loaded;
    private static RuntimeFailureException failure;

    private final Path file;

    private NativeLibrary(Path file) {
        this.file = file;
    }

    /**
     * Loads the library, or returns it if it is loaded already.
     *
     * @throws RuntimeFailureException if it is missing, made for another platform or of another version; the cause says why
     */
    public static synchronized NativeLibrary load() {
        if (failure != null) {
            throw failure;
        }
        if (loaded == null) {
            try {
                loaded = open();
            } catch (RuntimeFailureException e) {
                failure = e;
                throw e;
            }
        }
        return loaded;
    }

    private static NativeLibrary open() {
        allowAnyResidentMemory();
        try {
            Path folder = UnpackedLibraries.folder(
                    Loader.getPlatform(),
                    List.of(FILE_NAME, BINDING_NAME),
                    Loader.getCacheDir().toPath());
            Path library = folder.resolve(FILE_NAME);
            System.load(library.toString());
            System.load(folder.resolve(BINDING_NAME).toString());
            requireVersion(HoldfastApi.version());
            openMatrixLibrary();
            capInstructionSet(instructionSetCap());
            return new NativeLibrary(library);
        } catch (LinkageError | IOException e) {
            throw new RuntimeFailureException(
                    "Holdfast's native library: cannot be loaded on " + Loader.getPlatform() + ": " + e.getMessage()
                            + "; expected linux-x86_64 with the library in the jar, or a build with tools/dev build",
                    e);
        }
    }

    /**
     * Frees JavaCPP from its limit: it refuses even a number's memory once the process holds a few times the size of the Java heap, and
     * models in training lie outside of the heap. A limit that the user has set stays.
     */
    private static void allowAnyResidentMemory() {
        for (String limit : List.of("maxBytes", "maxPhysicalBytes")) {
            String property = "org.bytedeco.javacpp." + limit;
            if (System.getProperty(property) == null && System.getProperty(property.toLowerCase(Locale.ROOT)) == null) {
                System.setProperty(property, "0");
            }
        }
    }

    static void requireVersion(int version) {
        if (version != EXPECTED_VERSION) {
            throw new RuntimeFailureException(
                    "Holdfast's native library: expected version " + EXPECTED_VERSION + ", got " + version
                            + "; another build of libholdfast.so is on the class path or the library path");
        }
    }

    private static Optional<String> instructionSetCap() {
        return Optional.ofNullable(System.getProperty(INSTRUCTION_SET_PROPERTY))
                .or(() -> Optional.ofNullable(System.getenv(INSTRUCTION_SET_VARIABLE)))
                .filter(name -> !name.equals(UNCAPPED));
    }

    static void capInstructionSet(Optional<String> name) {
        if (HoldfastApi.capCpuInstructionSet(name.orElse(UNCAPPED)) != NativeStatus.OK) {
            throw new RuntimeFailureException(INSTRUCTION_SET_VARIABLE + ": " + HoldfastApi.lastError());
        }
    }

    /** oneDNN, of JavaCPP's presets; its copy of OpenMP lies beside it. */
    private static void openMatrixLibrary() {
        String folder = "/org/bytedeco/dnnl/" + PackagedLibrary.platform() + "/";
        PackagedLibrary.unpack(folder + "libgomp.so.1");
        Path library = PackagedLibrary.unpack(folder + "libdnnl.so.3");
        if (HoldfastApi.openMatrixLibrary(library.toString()) != NativeStatus.OK) {
            throw new RuntimeFailureException("matrix library: " + HoldfastApi.lastError());
        }
    }

    /** The file to register with ONNX Runtime for the operators of the domain {@code dev.holdfast}. */
    public Path operatorLibrary() {
        return file;
    }

    /** The version of the C interface. */
    public int version() {
        return HoldfastApi.version();
    }

    /**
     * The vector instructions that the kernels use on this machine: {@code avx512}, {@code avx2} or {@code baseline}. The most that the
     * processor has, or less if the environment variable {@value #INSTRUCTION_SET_VARIABLE} or the system property {@code
     * holdfast.cpu.instruction_set} names less.
     */
    public String instructionSet() {
        return HoldfastApi.cpuInstructionSet();
    }

    /** The name that caps the instruction set, even if it caps nothing on this machine; empty if none was given. */
    public Optional<String> cappedInstructionSet() {
        return instructionSetCap();
    }

    /** The library that matrix products are computed with, for example {@code oneDNN 3.11.0}. */
    public String matrixLibrary() {
        return HoldfastApi.matrixLibrary();
    }

    /** Whether the processor multiplies matrices of bfloat16 itself: with AVX512_BF16 or AMX. */
    public boolean multipliesBfloat16() {
        return HoldfastApi.multiplies(HoldfastApi.BFLOAT16) != 0;
    }

    /**
     * Sets the number of threads that direct calls of the kernels use; inside ONNX Runtime its own threads are used. Results do not depend
     * on it.
     *
     * @param threadCount at least 1, at most 1024
     * @throws IllegalArgumentException if it is out of range
     */
    public void setThreadCount(int threadCount) {
        NativeStatus.check(HoldfastApi.setThreadCount(threadCount));
    }
}
