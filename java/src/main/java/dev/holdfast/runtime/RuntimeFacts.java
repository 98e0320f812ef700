package dev.holdfast.runtime;

import java.nio.file.Path;
import java.util.List;

/**
 * What ONNX Runtime says of itself after a successful boot, which implies that training is on and its entry points answer.
 *
 * @param version version of the natives, for example {@code 1.24.1}
 * @param buildDescription commit and build type as the natives carry them, or empty
 * @param nativeLibrary the file that was loaded
 * @param providers names of the execution providers compiled in, best first
 */
public record RuntimeFacts(String version, String buildDescription, Path nativeLibrary, List<String> providers) {
    public RuntimeFacts {
        providers = List.copyOf(providers);
    }
}
