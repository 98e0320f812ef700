package dev.holdfast.files;

import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The rule for folders that are to be written: such a folder is not there yet, or is empty. */
public final class NewFolder {
    private NewFolder() {}

    /** Whether a folder can be written; one that cannot be read counts as taken. */
    public static boolean isFree(Path folder) {
        if (!Files.isDirectory(folder)) {
            return !Files.exists(folder);
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        } catch (IOException unreadable) {
            return false;
        }
    }

    /** What to say of a folder that is not free, up to the advice. */
    public static String taken(Path folder) {
        return "expected a new or empty folder, got " + folder + ", which is not";
    }

    /** What to say of a folder that is not free, where the only way out is another one. */
    public static String takenForGood(Path folder) {
        return taken(folder) + "; name another one or remove it";
    }

    /**
     * Makes sure that a folder can be written.
     *
     * @throws InvalidInputException if something is there
     */
    public static void requireFree(Path folder) {
        if (!isFree(folder)) {
            throw new InvalidInputException("output folder: " + takenForGood(folder));
        }
    }
}
