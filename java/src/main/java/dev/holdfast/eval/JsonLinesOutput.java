package dev.holdfast.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.OutputFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of JSON lines that appears whole; closing without {@link #commit()} leaves none.
 *
 * <p>Ownership: the caller closes it. Thread safety: none.
 */
public final class JsonLinesOutput implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OutputFile file;

    /**
     * Starts a file, and the folder that holds it.
     *
     * @throws FileAccessException if nothing can be written there
     */
    public JsonLinesOutput(Path target) {
        Path absolute = target.toAbsolutePath();
        try {
            Files.createDirectories(absolute.getParent());
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
        this.file = OutputFile.create(absolute);
    }

    /**
     * Writes a value that Jackson turns into JSON.
     *
     * @throws FileAccessException if the disk refuses
     */
    public void write(Object value) {
        try {
            file.write(ByteBuffer.wrap((JSON.writeValueAsString(value) + "\n").getBytes(StandardCharsets.UTF_8)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected a value that is JSON, got " + value, e);
        }
    }

    /**
     * Puts the file in its place.
     *
     * @throws FileAccessException if the disk refuses
     */
    public void commit() {
        file.commit();
    }

    @Override
    public void close() {
        file.close();
    }
}
