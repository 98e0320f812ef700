package dev.holdfast.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** SmolLM2-135M-Instruct as a GGUF file, which the project does not carry. */
public final class RealModel {
    private static final String VARIABLE = "HOLDFAST_MODEL";
    private static final String NAME = "smollm2-135m-instruct.Q4_1.gguf";

    private RealModel() {}

    /** The file that HOLDFAST_MODEL names, or the one that {@code tools/dev fetch-model} fetched; without it the test is skipped. */
    public static Path require() {
        Path file = environment(VARIABLE).orElseGet(RealModel::fetched);
        Assumptions.assumeTrue(
                Files.exists(file),
                "skipped: no " + file + "; call tools/dev fetch-model, or name the file in " + VARIABLE);
        return file;
    }

    private static Path fetched() {
        return environment("XDG_CACHE_HOME")
                .orElse(Path.of(System.getProperty("user.home"), ".cache"))
                .resolve("holdfast/models")
                .resolve(NAME);
    }

    private static Optional<Path> environment(String variable) {
        return Optional.ofNullable(System.getenv(variable))
                .filter(value -> !value.isEmpty())
                .map(Path::of);
    }
}
