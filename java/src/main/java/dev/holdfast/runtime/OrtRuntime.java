package dev.holdfast.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtTrainingSession;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.natives.PackagedLibrary;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * ONNX Runtime inside this process, started with natives that can train.
 *
 * <p>The Java classes and the natives come from different publishers, so the path of the natives must be set before the first of those
 * classes initialises. Every session of this package boots through here; a process that also uses {@code ai.onnxruntime} on its own
 * calls {@link #boot()} first.
 *
 * <p>Thread safety: all methods may be called from any thread.
 */
public final class OrtRuntime {
    private static final Logger LOGGER = LoggerFactory.getLogger(OrtRuntime.class);
    private static final String SUPPORTED_PLATFORM = "linux-x86_64";
    private static final String NATIVE_PATH_PROPERTY = "onnxruntime.native.onnxruntime.path";

    private static OrtRuntime booted;

    private final OrtEnvironment environment;
    private final RuntimeFacts facts;

    private OrtRuntime(OrtEnvironment environment, RuntimeFacts facts) {
        this.environment = environment;
        this.facts = facts;
    }

    /**
     * Starts ONNX Runtime, or returns the one already started.
     *
     * @throws RuntimeFailureException if the platform has no natives, they are not on the class path or cannot be loaded, or ONNX Runtime
     *     was already initialised with natives that cannot train
     */
    public static synchronized OrtRuntime boot() {
        if (booted == null) {
            booted = start();
        }
        return booted;
    }

    /** What was found while booting. */
    public RuntimeFacts facts() {
        return facts;
    }

    OrtEnvironment environment() {
        return environment;
    }

    private static OrtRuntime start() {
        requireSupportedPlatform(PackagedLibrary.platform());
        Path library =
                PackagedLibrary.unpack("/org/bytedeco/onnxruntime/" + SUPPORTED_PLATFORM + "/libonnxruntime.so.1");
        System.setProperty(NATIVE_PATH_PROPERTY, library.toString());
        OrtEnvironment environment = createEnvironment();
        requireTraining(environment, library);
        List<String> providers = OrtEnvironment.getAvailableProviders().stream()
                .map(OrtProvider::getName)
                .toList();
        RuntimeFacts facts =
                new RuntimeFacts(environment.getVersion(), BuildDescription.of(library), library, providers);
        LOGGER.debug("ONNX Runtime {} from {}", facts.version(), library);
        return new OrtRuntime(environment, facts);
    }

    static void requireSupportedPlatform(String platform) {
        if (!platform.equals(SUPPORTED_PLATFORM)) {
            throw new RuntimeFailureException(
                    "platform " + platform + ": ONNX Runtime with training: expected " + SUPPORTED_PLATFORM + ", got "
                            + platform + "; run on 64-bit Linux on x86, or in a container of it");
        }
    }

    private static OrtEnvironment createEnvironment() {
        try {
            return OrtEnvironment.getEnvironment(loggingLevel(), "holdfast");
        } catch (LinkageError | RuntimeException e) {
            throw new RuntimeFailureException(
                    "ONNX Runtime: cannot be loaded: " + firstCause(e)
                            + "; check that java.io.tmpdir is writable and allows execution",
                    e);
        }
    }

    /** Every failure comes back as an exception, so ONNX Runtime's own lines on the console would only say it twice. */
    private static OrtLoggingLevel loggingLevel() {
        return LOGGER.isDebugEnabled()
                ? OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING
                : OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
    }

    private static void requireTraining(OrtEnvironment environment, Path library) {
        List<Path> mapped = MappedLibraries.named("libonnxruntime.so");
        if (!environment.isTrainingEnabled()) {
            throw new RuntimeFailureException("ONNX Runtime " + environment.getVersion()
                    + ": training is off: expected the natives of " + library + ", got " + mapped
                    + "; something used ai.onnxruntime first: call OrtRuntime.boot() before it");
        }
        try {
            OrtTrainingSession.setSeed(0);
        } catch (LinkageError | OrtException e) {
            throw new RuntimeFailureException(
                    "ONNX Runtime " + environment.getVersion() + ": its training functions cannot be called: "
                            + firstCause(e)
                            + "; expected com.microsoft.onnxruntime's jar as the only one with ai.onnxruntime on the class path",
                    e);
        }
    }

    private static String firstCause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
