package dev.holdfast.weights;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Finds the golden files that tools/reference makes. */
final class Golden {
    private Golden() {}

    static Path gguf(String name) {
        try {
            return Path.of(Golden.class.getResource("/golden/gguf/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
