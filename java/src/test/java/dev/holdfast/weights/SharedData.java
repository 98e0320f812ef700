package dev.holdfast.weights;

import java.nio.file.Path;

/** Finds data that is too large to be carried by the project. */
final class SharedData {
    private SharedData() {}

    static Path smolLm2() {
        String folder = System.getenv().getOrDefault("HOLDFAST_SHARED", "../shared");
        return Path.of(folder, "data/models/smollm2-135m-instruct.Q4_1.gguf");
    }
}
