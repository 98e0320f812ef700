package dev.holdfast.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.JsonFault;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The small text files of a Hugging Face model folder. */
record TextFiles(Path path) {
    static final ObjectMapper MAPPER = new ObjectMapper();

    /** The text of a file, or nothing where the folder does not hold it. */
    Optional<String> text(String name) {
        Path file = path.resolve(name);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw MalformedFileException.of(file, "expected UTF-8 text", e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /** The JSON object in a file; an empty one where the folder does not hold the file. */
    ObjectNode json(String name) {
        return text(name).map(text -> parse(name, text)).orElseGet(MAPPER::createObjectNode);
    }

    /** The JSON object in the text of the named file. */
    ObjectNode parse(String name, String text) {
        try {
            JsonNode node = MAPPER.readTree(text);
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw MalformedFileException.of(path.resolve(name), "expected a JSON object, got " + node.getNodeType());
        } catch (JsonProcessingException e) {
            throw MalformedFileException.of(path.resolve(name), JsonFault.describe(e), e);
        }
    }
}
