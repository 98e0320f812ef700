package dev.holdfast.weights;

import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file written beside its place and put there whole: a reader sees the old file or the new one, never a part.
 *
 * <p>Closing without {@link #commit()} leaves what was there before.
 */
final class OutputFile implements AutoCloseable {
    private static final String PARTIAL_SUFFIX = ".partial";

    private final Path target;
    private final Path partial;
    private final FileChannel channel;

    private OutputFile(Path target, Path partial, FileChannel channel) {
        this.target = target;
        this.partial = partial;
        this.channel = channel;
    }

    static OutputFile create(Path target) {
        Path partial = target.resolveSibling(target.getFileName() + PARTIAL_SUFFIX);
        try {
            return new OutputFile(
                    target,
                    partial,
                    FileChannel.open(
                            partial,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    long position() {
        try {
            return channel.position();
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    void write(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /** Writes zeros up to a position. */
    void padTo(long position) {
        write(ByteBuffer.allocate(Math.toIntExact(position - position())));
    }

    /** Makes the file durable and puts it in its place. */
    void commit() {
        try {
            channel.force(true);
            channel.close();
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolder();
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /** The new name is durable only when the folder is. */
    private void forceFolder() throws IOException {
        try (FileChannel folder = FileChannel.open(target.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            throw FileAccessException.writing(partial, e);
        }
    }
}
