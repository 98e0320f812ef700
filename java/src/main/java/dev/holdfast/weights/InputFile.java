package dev.holdfast.weights;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file read at positions of choice.
 *
 * <p>Reads copy from the page cache rather than through mappings: a file that shrinks meanwhile then ends in a message instead of a
 * crashed process, and there is no limit of 2 GiB.
 */
final class InputFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final long size;

    private InputFile(Path path, FileChannel channel, long size) {
        this.path = path;
        this.channel = channel;
        this.size = size;
    }

    static InputFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw MalformedFileException.of(path, "expected a file, got a folder");
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            return new InputFile(path, channel, channel.size());
        } catch (IOException e) {
            closeQuietly(channel);
            throw FileAccessException.reading(path, e);
        }
    }

    Path path() {
        return path;
    }

    /** The file's size when it was opened. */
    long size() {
        return size;
    }

    /** Fills the buffer's remaining bytes from a position of the file. */
    void read(long position, ByteBuffer target) {
        long at = position;
        try {
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    throw truncated(at, target.remaining(), 0);
                }
                at += count;
            }
        } catch (IOException e) {
            throw FileAccessException.reading(path, e);
        }
    }

    MalformedFileException truncated(long offset, long expected, long got) {
        return malformed(
                offset,
                "truncated: expected " + expected + " more bytes, got " + got + "; copy or download the file again");
    }

    MalformedFileException malformed(long offset, String problem) {
        return MalformedFileException.atOffset(path, offset, problem);
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }

    private static void closeQuietly(FileChannel channel) {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            // A file that was only read loses nothing when closing it fails.
        }
    }
}
