package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes sure that two models speak of the same tokens: distributions over different vocabularies cannot be mixed. */
final class VocabularyCheck {

    private VocabularyCheck() {}

    /**
     * @throws InvalidInputException if the sizes differ, or the same id stands for different tokens
     */
    static void requireSame(ModelFolder student, ModelFolder reference) {
        int expected = student.model().vocabularySize();
        int got = reference.model().vocabularySize();
        if (expected != got) {
            throw new InvalidInputException(reference.path() + ": vocabulary: expected " + expected + " tokens as "
                    + student.path() + " has, got " + got + "; the reference must have the student's vocabulary");
        }
        Path studentFile = student.tokenizer().resolve(ModelFiles.TOKENIZER);
        Path referenceFile = reference.tokenizer().resolve(ModelFiles.TOKENIZER);
        if (Files.exists(studentFile)
                && Files.exists(referenceFile)
                && !vocabulary(studentFile).equals(vocabulary(referenceFile))) {
            throw new InvalidInputException(referenceFile + ": vocabulary: expected the tokens of " + studentFile
                    + ", got others; the reference must have the student's vocabulary");
        }
    }

    private static JsonNode vocabulary(Path tokenizer) {
        return JsonFiles.read(tokenizer, JsonNode.class).at("/model/vocab");
    }
}
