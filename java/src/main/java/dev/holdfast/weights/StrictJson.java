package dev.holdfast.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.JsonFault;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads JSON objects; a key that appears twice and anything after the object are faults. */
final class StrictJson {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private StrictJson() {}

    static ObjectNode newObject() {
        return MAPPER.createObjectNode();
    }

    static byte[] write(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree can always be written", e);
        }
    }

    static ObjectNode readFile(Path file) {
        try {
            return parse(file, 0, Files.readAllBytes(file));
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /**
     * The object that these bytes of a file hold.
     *
     * @param start where in the file the bytes begin, for messages
     */
    static ObjectNode parse(Path file, long start, byte[] bytes) {
        try {
            if (MAPPER.readTree(bytes) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            long offset =
                    e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
            throw MalformedFileException.atOffset(file, start + offset, JsonFault.describe(e));
        } catch (IOException e) {
            throw MalformedFileException.of(file, "not JSON: " + e.getMessage(), e);
        }
        throw MalformedFileException.atOffset(file, start, "expected a JSON object, got something else");
    }
}
