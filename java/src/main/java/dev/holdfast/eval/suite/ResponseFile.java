package dev.holdfast.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.data.JsonLines;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.eval.Response;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Responses made elsewhere: JSON lines of {@code key} and {@code response}. */
final class ResponseFile {
    private final Path file;
    private final Map<String, String> responses = new HashMap<>();

    private ResponseFile(Path file) {
        this.file = file;
    }

    /**
     * Reads the responses to a suite.
     *
     * @param path a file, or a folder that holds one named as the suite
     * @throws dev.holdfast.error.MalformedFileException if a line lacks one of its fields, or a key comes twice
     * @throws InvalidInputException if there is no file
     */
    static ResponseFile read(SuiteName suite, Path path) {
        Path file = Files.isDirectory(path) ? path.resolve(suite.id() + ".jsonl") : path;
        ResponseFile responses = new ResponseFile(file);
        new JsonLines(file).forEach(line -> {
            JsonNode key = SuiteReader.key(line, "key");
            if (responses.responses.put(key.asText(), line.text("response")) != null) {
                throw line.malformed("key: expected each key once, got " + key + " again");
            }
        });
        return responses;
    }

    /** The response to a question; its tokens are not known. */
    Optional<Response> to(Question question) {
        return Optional.ofNullable(responses.get(question.key().asText())).map(text -> new Response(text, 0, false));
    }

    /**
     * Makes sure that the responses belong to the questions of a suite.
     *
     * @throws InvalidInputException if a key is no question's, or no question has a response
     */
    void requireKeysOf(List<Question> questions) {
        Map<String, String> unknown = new HashMap<>(responses);
        questions.forEach(question -> unknown.remove(question.key().asText()));
        if (!unknown.isEmpty()) {
            String example = unknown.keySet().stream().sorted().findFirst().orElseThrow();
            throw new InvalidInputException(file + ": expected keys of the suite's questions, got " + unknown.size()
                    + " others, such as " + example);
        }
        if (responses.isEmpty()) {
            throw new InvalidInputException(file + ": no responses: expected at least one line of key and response");
        }
    }
}
