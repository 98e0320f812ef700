package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.error.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Makes sure that two models speak of the same tokens: distributions over different vocabularies cannot be mixed. */
final class VocabularyCheck {
    private static final String HINT = "; the reference must have the student's vocabulary";

    private VocabularyCheck() {}

    /**
     * @throws InvalidInputException if the sizes differ, or the same id stands for different tokens, added ones included
     */
    static void requireSame(FrozenSource student, FrozenSource reference) {
        int expected = student.vocabularySize();
        int got = reference.vocabularySize();
        if (expected != got) {
            throw new InvalidInputException(reference.path() + ": vocabulary: expected " + expected + " tokens as "
                    + student.path() + " has, got " + got + HINT);
        }
        Path studentFile = student.tokenizer().resolve(ModelFiles.TOKENIZER);
        Path referenceFile = reference.tokenizer().resolve(ModelFiles.TOKENIZER);
        if (Files.exists(studentFile) && Files.exists(referenceFile)) {
            requireSameTokens(studentFile, referenceFile);
        }
    }

    private static void requireSameTokens(Path studentFile, Path referenceFile) {
        JsonNode student = JsonFiles.read(studentFile, JsonNode.class);
        JsonNode reference = JsonFiles.read(referenceFile, JsonNode.class);
        if (!student.at("/model/vocab").equals(reference.at("/model/vocab"))) {
            throw new InvalidInputException(
                    referenceFile + ": vocabulary: expected the tokens of " + studentFile + ", got others" + HINT);
        }
        Map<Integer, String> expected = addedTokens(student);
        Map<Integer, String> got = addedTokens(reference);
        Stream.concat(expected.keySet().stream(), got.keySet().stream())
                .filter(id -> !Objects.equals(expected.get(id), got.get(id)))
                .min(Integer::compare)
                .ifPresent(id -> {
                    throw new InvalidInputException(referenceFile + ": added_tokens: token " + id + ": expected "
                            + quoted(expected.get(id)) + " as in " + studentFile + ", got " + quoted(got.get(id))
                            + HINT);
                });
    }

    /** Content by id. How a text is split at them does not matter: the student's tokenizer alone encodes the rows. */
    private static Map<Integer, String> addedTokens(JsonNode tokenizer) {
        Map<Integer, String> tokens = new TreeMap<>();
        tokenizer
                .path("added_tokens")
                .forEach(token -> tokens.put(
                        token.path("id").asInt(), token.path("content").asText()));
        return tokens;
    }

    private static String quoted(String token) {
        return token == null ? "none" : "\"" + token + "\"";
    }
}
