package dev.holdfast.exporter;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.data.GgufTokenizer;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.weights.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files of a tokenizer, which travel with a model wherever it goes. */
public final class TokenizerFiles {
    private static final String TOKENIZER = "tokenizer.json";
    private static final List<String> NAMES = List.of(
            TOKENIZER,
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "generation_config.json");

    private TokenizerFiles() {}

    /**
     * Writes the tokenizer of a model that is being exported: a folder's files, or those rebuilt from a GGUF file's metadata.
     *
     * @throws InvalidInputException if there is none, or it knows more tokens than the model
     */
    static void write(ModelSource model, Path target, int modelVocabularySize) {
        if (model.ggufMetadata().isPresent()) {
            GgufTokenizer.write(model.ggufMetadata().get(), target);
        } else {
            requireTokenizer(model.path());
            copy(model.path(), target);
        }
        try (Tokenizer tokenizer = Tokenizer.load(target)) {
            if (tokenizer.vocabularySize() > modelVocabularySize) {
                throw new InvalidInputException(model.path() + ": tokenizer: expected at most the model's " + modelVocabularySize
                        + " tokens, got " + tokenizer.vocabularySize() + "; it belongs to another model");
            }
        }
    }

    private static void requireTokenizer(Path folder) {
        if (!Files.isRegularFile(folder.resolve(TOKENIZER))) {
            throw new InvalidInputException(folder + ": expected a tokenizer.json, got none; convert the tokenizer to Hugging Face's fast format");
        }
    }

    /**
     * Copies the files that a folder has.
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
            Files.copy(from, to);
        } catch (IOException e) {
            throw FileAccessException.writing(to, e);
        }
    }
}
