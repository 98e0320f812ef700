package dev.holdfast.artifact;

import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The small files that travel with a model's weights wherever they go: configuration, tokenizer, chat template. */
public final class ModelFiles {
    /** The tokenizer in Hugging Face's format. */
    public static final String TOKENIZER = "tokenizer.json";

    private static final List<String> NAMES = List.of(
            ArtifactDirectory.CONFIG,
            TOKENIZER,
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "generation_config.json");

    private ModelFiles() {}

    /**
     * Copies those that a folder has.
     *
     * @throws FileAccessException if one cannot be read or written
     */
    public static void copy(Path from, Path to) {
        for (String name : NAMES) {
            Path file = from.resolve(name);
            if (Files.isRegularFile(file)) {
                copyFile(file, to.resolve(name));
            }
        }
    }

    private static void copyFile(Path from, Path to) {
        try {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw FileAccessException.writing(to, e);
        }
    }
}
