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

/** A file of scores, a JSON line a row, that appears whole; closing without {@link #commit()} leaves none. */
final class ScoreFile implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final OutputFile file;

    ScoreFile(Path target) {
        Path absolute = target.toAbsolutePath();
        try {
            Files.createDirectories(absolute.getParent());
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
        this.file = OutputFile.create(absolute);
    }

    void write(RowScore row) {
        try {
            file.write(ByteBuffer.wrap((JSON.writeValueAsString(row) + "\n").getBytes(StandardCharsets.UTF_8)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("numbers are always JSON", e);
        }
    }

    void commit() {
        file.commit();
    }

    @Override
    public void close() {
        file.close();
    }
}
