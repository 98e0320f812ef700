package dev.holdfast.error;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** A file or folder cannot be read or written: missing, forbidden, on a full disk; what was there before is unharmed. */
public final class FileAccessException extends HoldfastException {
    private FileAccessException(String message, IOException cause) {
        super(message, cause);
    }

    /** A failure while reading; the message reads {@code <file>: cannot be read: <reason>}. */
    public static FileAccessException reading(Path file, IOException cause) {
        return new FileAccessException(file + ": cannot be read: " + reason(cause), cause);
    }

    /** A failure while writing; the message reads {@code <file>: cannot be written: <reason>}. */
    public static FileAccessException writing(Path file, IOException cause) {
        return new FileAccessException(file + ": cannot be written: " + reason(cause), cause);
    }

    /** The same failure, with a sentence on what to do about it. */
    public FileAccessException advising(String advice) {
        return new FileAccessException(getMessage() + ". " + advice, (IOException) getCause());
    }

    private static String reason(IOException cause) {
        if (cause instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (cause instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (cause instanceof NotDirectoryException) {
            return "not a folder";
        }
        if (cause instanceof FileSystemException failure && failure.getReason() != null) {
            return failure.getReason();
        }
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
