package dev.holdfast.runtime;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.holdfast.error.RuntimeFailureException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes ONNX Runtime's session options from ours. */
final class SessionOptionsFactory {
    /** What Holdfast's operators read when they are registered. */
    private static final String OPERAND_TYPE = "dev.holdfast.operand_type";

    private SessionOptionsFactory() {}

    /** Options that the caller closes after every session made with them: they hold the operator library in memory. */
    static SessionOptions create(SessionSettings settings) {
        requireAvailable(settings.device());
        SessionOptions options = new SessionOptions();
        try {
            apply(settings, options);
            return options;
        } catch (OrtException | RuntimeException e) {
            options.close();
            throw e instanceof OrtException failure ? OrtFailure.of("session options", failure) : (RuntimeException) e;
        }
    }

    private static void requireAvailable(Device device) {
        if (device.kind() != Device.Kind.CPU) {
            throw new RuntimeFailureException("device " + device + ": expected cpu, got " + device
                    + "; the natives of this build compute on the CPU only");
        }
    }

    private static void apply(SessionSettings settings, SessionOptions options) throws OrtException {
        int threads = settings.intraOpThreads();
        options.setIntraOpNumThreads(threads == 0 ? PhysicalCores.available() : threads);
        options.setCPUArenaAllocator(settings.arena());
        options.setMemoryPatternOptimization(settings.memoryPattern());
        options.setOptimizationLevel(level(settings.optimization()));
        options.setDeterministicCompute(settings.deterministic());
        options.addConfigEntry("session.intra_op.allow_spinning", settings.allowSpinning() ? "1" : "0");
        options.addConfigEntry(OPERAND_TYPE, settings.bfloat16Products() ? "bfloat16" : "float");
        if (settings.profilePrefix().isPresent()) {
            options.enableProfiling(settings.profilePrefix().get().toString());
        }
        if (settings.operatorLibrary().isPresent()) {
            register(settings.operatorLibrary().get(), options);
        }
    }

    /** The library is loaded by the JVM as well, so that it stays mapped when the options are closed. */
    private static void register(Path library, SessionOptions options) throws OrtException {
        if (!Files.isRegularFile(library)) {
            throw new RuntimeFailureException(library + ": expected a library of custom operators, found no file");
        }
        try {
            System.load(library.toAbsolutePath().toString());
        } catch (UnsatisfiedLinkError e) {
            throw new RuntimeFailureException(
                    library + ": the operator library cannot be loaded: " + e.getMessage(), e);
        }
        options.registerCustomOpLibrary(library.toAbsolutePath().toString());
    }

    private static SessionOptions.OptLevel level(SessionSettings.GraphOptimization optimization) {
        return switch (optimization) {
            case NONE -> SessionOptions.OptLevel.NO_OPT;
            case BASIC -> SessionOptions.OptLevel.BASIC_OPT;
            case EXTENDED -> SessionOptions.OptLevel.EXTENDED_OPT;
            case ALL -> SessionOptions.OptLevel.ALL_OPT;
        };
    }
}
