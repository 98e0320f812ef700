package dev.holdfast.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Punkt's parameters for English, which the project does not carry. */
public final class PunktFolder {
    private PunktFolder() {}

    /** The folder that {@code tools/dev fetch-punkt} fetched; without it the test is skipped. */
    public static Path require() {
        Path cache = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                .filter(value -> !value.isEmpty())
                .map(Path::of)
                .orElse(Path.of(System.getProperty("user.home"), ".cache"));
        Path folder = cache.resolve("holdfast/punkt/english");
        Assumptions.assumeTrue(Files.exists(folder), "skipped: no " + folder + "; call tools/dev fetch-punkt");
        return folder;
    }
}
