package dev.holdfast.artifact;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.Sha256Sums;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

    /**
     * Writes beside those that a folder has the list of their digests.
     *
     * @throws FileAccessException if one cannot be read, or the list written
     */
    public static void sign(Path folder) {
        Map<String, FileDigest> digests = new LinkedHashMap<>();
        NAMES.stream()
                .filter(name -> Files.isRegularFile(folder.resolve(name)))
                .forEach(name -> digests.put(name, FileDigest.of(folder.resolve(name))));
        Sha256Sums.write(folder, digests);
    }

    /**
     * Makes sure that those of a run are as they were signed; a run without a list is taken as it is.
     *
     * @throws FileAccessException if one is missing or cannot be read
     * @throws dev.holdfast.error.MalformedFileException if one has other content
     */
    public static void verify(Path run) {
        Sha256Sums.verify(run, "copy it again from the artifact");
    }

    private static void copyFile(Path from, Path to) {
        try {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw FileAccessException.writing(to, e);
        }
    }
}
