package dev.holdfast.files;

import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that several folders hold and the disk stores once. */
public final class LinkedFile {
    private LinkedFile() {}

    /**
     * Gives a file a second name; where the file system cannot, or the name lies on another one, the file is copied.
     *
     * @param link a name that is free
     * @throws FileAccessException if neither can be done
     */
    public static void create(Path link, Path file) {
        try {
            Files.createLink(link, file);
        } catch (IOException | UnsupportedOperationException noLink) {
            copy(file, link);
        }
    }

    private static void copy(Path file, Path link) {
        try {
            Files.copy(file, link);
        } catch (IOException e) {
            throw FileAccessException.writing(link, e);
        }
    }
}
