package dev.holdfast.artifact;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.JsonFault;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.OutputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON files of records: read with messages that name the file, written whole or not at all. */
public final class JsonFiles {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private JsonFiles() {}

    /**
     * Reads a file as a value of a type.
     *
     * @throws FileAccessException if it cannot be read
     * @throws MalformedFileException if it does not hold such a value
     */
    public static <T> T read(Path file, Class<T> type) {
        try {
            T value = JSON.readValue(Files.readAllBytes(file), type);
            if (value == null) {
                throw MalformedFileException.of(file, "expected a JSON object, got null");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw MalformedFileException.of(file, JsonFault.describe(e), e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /**
     * Writes a value, whole or not at all.
     *
     * @throws FileAccessException if it cannot be written
     */
    public static void write(Path file, Object value) {
        try {
            OutputFile.writeWhole(file, JSON.writeValueAsBytes(value));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + ": " + e.getOriginalMessage(), e);
        }
    }
}
