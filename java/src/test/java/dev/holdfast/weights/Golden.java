package dev.holdfast.weights;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Finds the golden files that tools/reference makes. */
final class Golden {
    private Golden() {}

    static Path npz(String name) {
        return find("/golden/npz/" + name);
    }

    static Path gguf(String name) {
        return find("/golden/gguf/" + name);
    }

    private static Path find(String resource) {
        try {
            return Path.of(Golden.class.getResource(resource).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
