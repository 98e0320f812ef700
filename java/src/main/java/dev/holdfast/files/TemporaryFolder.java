package dev.holdfast.files;

import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder for what is needed for a moment; closing removes it. */
public final class TemporaryFolder implements AutoCloseable {
    private final Path path;

    private TemporaryFolder(Path path) {
        this.path = path;
    }

    /**
     * Makes a folder on the disk of a path that need not exist: in the nearest folder above it that does.
     *
     * @throws FileAccessException if it cannot be made
     */
    public static TemporaryFolder near(Path path) {
        Path parent = path.toAbsolutePath().normalize();
        while (!Files.isDirectory(parent) && parent.getParent() != null) {
            parent = parent.getParent();
        }
        try {
            return new TemporaryFolder(Files.createTempDirectory(parent, ".holdfast-"));
        } catch (IOException e) {
            throw FileAccessException.writing(parent, e);
        }
    }

    /** The folder. */
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        StagedDirectory.deleteTree(path);
    }
}
