package dev.holdfast.exporter;

import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.data.GgufTokenizer;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.weights.ModelSource;
import java.nio.file.Files;
import java.nio.file.Path;

/** The tokenizer of a model that is being exported: a folder's files, or those rebuilt from a GGUF file's metadata. */
final class TokenizerFiles {
    private TokenizerFiles() {}

    /**
     * Writes the files.
     *
     * @throws InvalidInputException if there is no tokenizer, or it knows more tokens than the model
     */
    static void write(ModelSource model, Path target, int modelVocabularySize) {
        if (model.ggufMetadata().isPresent()) {
            GgufTokenizer.write(model.ggufMetadata().get(), target);
            check(model, target, modelVocabularySize);
        } else {
            requireTokenizer(model.path());
            // Before they are copied, so that a message names the file that is at fault.
            check(model, model.path(), modelVocabularySize);
            ModelFiles.copy(model.path(), target);
        }
    }

    private static void check(ModelSource model, Path files, int modelVocabularySize) {
        try (Tokenizer tokenizer = Tokenizer.load(files)) {
            if (tokenizer.vocabularySize() > modelVocabularySize) {
                throw new InvalidInputException(
                        model.path() + ": tokenizer: expected at most the model's " + modelVocabularySize
                                + " tokens, got " + tokenizer.vocabularySize() + "; it belongs to another model");
            }
        }
    }

    private static void requireTokenizer(Path folder) {
        if (!Files.isRegularFile(folder.resolve(ModelFiles.TOKENIZER))) {
            throw new InvalidInputException(folder
                    + ": expected a tokenizer.json, got none; convert the tokenizer to Hugging Face's fast format");
        }
    }
}
