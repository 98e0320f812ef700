package dev.holdfast.runtime;

import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.NpzFile;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The artifacts that ONNX Runtime's own tool wrote, with the arrays beside them. */
public final class Goldens {
    private Goldens() {}

    /** The directory of an artifact. */
    public static Path artifact(String name) {
        try {
            return Path.of(
                    Goldens.class.getResource("/golden/ort-artifacts/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tensors of one step, by input name. */
    public static Map<String, HostTensor> batch(Map<String, HostTensor> arrays, int step, String... inputs) {
        Map<String, HostTensor> batch = new LinkedHashMap<>();
        for (String input : inputs) {
            batch.put(input, arrays.get(input + step));
        }
        return batch;
    }

    /** All arrays of a file that numpy.savez wrote. */
    public static Map<String, HostTensor> arrays(Path file) {
        return NpzFile.read(file);
    }
}
