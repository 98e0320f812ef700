package dev.holdfast.artifact;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.Durability;
import dev.holdfast.files.OutputFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A file of JSON lines that a run appends to, one complete line at a time. */
public final class JsonLinesFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    /** The lines of a file, which need not exist yet. */
    public JsonLinesFile(Path file) {
        this.file = file;
    }

    /** Adds a line. */
    public void append(Object entry) {
        try {
            String line = JSON.writeValueAsString(entry) + "\n";
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    /** Has the disk keep the lines so far; without a line there is nothing to keep. */
    public void force() {
        if (Files.exists(file)) {
            try {
                Durability.force(file);
                Durability.force(file.toAbsolutePath().getParent());
            } catch (IOException e) {
                throw FileAccessException.writing(file, e);
            }
        }
    }

    /** Removes what a killed run wrote after the checkpoint from which it is resumed, half a line at the end included. */
    public void keepUpTo(int step) {
        if (!Files.exists(file)) {
            return;
        }
        try {
            List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
            String kept = lines.stream()
                    .filter(line -> stepOf(parse(line)) <= step)
                    .map(line -> line + "\n")
                    .collect(Collectors.joining());
            OutputFile.writeWhole(file, kept.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /** Whether there is a line of this step with this key. */
    public boolean has(int step, String key) {
        return read().stream().anyMatch(entry -> stepOf(entry) == step && entry.has(key));
    }

    /** The lines that are whole. */
    public List<JsonNode> read() {
        if (!Files.isRegularFile(file)) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(JsonLinesFile::parse).filter(JsonNode::isObject).toList();
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    private static int stepOf(JsonNode entry) {
        return entry.path("step").asInt(Integer.MAX_VALUE);
    }

    /** A line's object; where the line is not whole, a missing one, whose step is more than any. */
    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }
}
