package dev.holdfast.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.error.FileAccessException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A file of scores, a JSON line a row, written beside its place and put there whole; closing without {@link #commit()} leaves none. */
final class ScoreFile implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path target;
    private final Path partial;
    private final BufferedWriter writer;

    ScoreFile(Path target) {
        this.target = target.toAbsolutePath();
        this.partial = this.target.resolveSibling(this.target.getFileName() + ".partial");
        try {
            Files.createDirectories(this.target.getParent());
            this.writer = Files.newBufferedWriter(partial, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    void write(RowScore row) {
        try {
            writer.write(JSON.writeValueAsString(row));
            writer.write('\n');
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    void commit() {
        try {
            writer.close();
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    @Override
    public void close() {
        try {
            writer.close();
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }
}
