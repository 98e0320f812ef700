package dev.holdfast.error;

import java.nio.file.Path;

/** A file does not hold what its format requires: truncated, corrupt, or of another format. */
public final class MalformedFileException extends HoldfastException {
    private final transient Path file;
    private final long position;

    private MalformedFileException(String message, Path file, long position, Throwable cause) {
        super(message, cause);
        this.file = file;
        this.position = position;
    }

    /** A fault at a byte offset; the message reads {@code <file>: offset <offset>: <problem>}. */
    public static MalformedFileException atOffset(Path file, long offset, String problem) {
        return new MalformedFileException(file + ": offset " + offset + ": " + problem, file, offset, null);
    }

    /** A fault in a line, counted from 1; the message reads {@code <file>:<line>: <problem>}. */
    public static MalformedFileException atLine(Path file, long line, String problem) {
        return new MalformedFileException(file + ":" + line + ": " + problem, file, line, null);
    }

    /** A fault of the file as a whole; the message reads {@code <file>: <problem>}. */
    public static MalformedFileException of(Path file, String problem) {
        return new MalformedFileException(file + ": " + problem, file, -1, null);
    }

    /** As {@link #of(Path, String)}, with the failure that led to it. */
    public static MalformedFileException of(Path file, String problem, Throwable cause) {
        return new MalformedFileException(file + ": " + problem, file, -1, cause);
    }

    /** The file at fault. */
    public Path file() {
        return file;
    }

    /** The byte offset or the line of the fault; -1 where it concerns the whole file. */
    public long position() {
        return position;
    }
}
