package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.data.Message;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.JsonFault;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A conversation in a JSON file: a list of objects with {@code role} and {@code content}, or an object with such {@code messages}. */
final class MessagesFile {
    private MessagesFile() {}

    /**
     * Reads the turns.
     *
     * @throws FileAccessException if the file cannot be read
     * @throws MalformedFileException if it holds no such list, or an empty one
     */
    static List<Message> read(Path file) {
        JsonNode root = parse(file);
        JsonNode turns = root.isArray() ? root : root.path("messages");
        if (!turns.isArray() || turns.isEmpty()) {
            throw MalformedFileException.of(file, "expected a list of messages, or an object with messages");
        }
        List<Message> messages = new ArrayList<>();
        for (JsonNode turn : turns) {
            if (!turn.path("role").isTextual() || !turn.path("content").isTextual()) {
                throw MalformedFileException.of(
                        file, "message " + messages.size() + ": expected the texts role and content, got " + turn);
            }
            messages.add(new Message(
                    turn.path("role").textValue(), turn.path("content").textValue()));
        }
        return messages;
    }

    private static JsonNode parse(Path file) {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw MalformedFileException.of(file, JsonFault.describe(e), e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
