package dev.holdfast.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Benchmark data beside the project, which it does not carry. */
public final class SharedData {
    private static final Path FOLDER = Path.of("../shared/data");

    private SharedData() {}

    /** A file of the data; without it the test is skipped. */
    public static Path require(String name) {
        Path file = FOLDER.resolve(name);
        Assumptions.assumeTrue(Files.exists(file), "skipped: no " + file);
        return file;
    }
}
