package dev.holdfast.files;

import dev.holdfast.error.FileAccessException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * A file written beside its place and put there whole: a reader sees the old file or the new one, never a part.
 *
 * <p>Closing without {@link #commit()} leaves what was there before.
 */
public final class OutputFile implements AutoCloseable {
    static final String PARTIAL_SUFFIX = ".partial";

    private final Path target;
    private final Path partial;
    private final FileChannel channel;
    private final Channels channels;
    private final MessageDigest digest = FileDigest.sha256Digest();

    private OutputFile(Path target, Path partial, FileChannel channel, Channels channels) {
        this.target = target;
        this.partial = partial;
        this.channel = channel;
        this.channels = channels;
    }

    /**
     * Starts a file; what an earlier attempt left of it is overwritten.
     *
     * @throws FileAccessException if nothing can be written there
     */
    public static OutputFile create(Path target) {
        return create(target, FileChannel::open);
    }

    static OutputFile create(Path target, Channels channels) {
        Path partial = target.resolveSibling(target.getFileName() + PARTIAL_SUFFIX);
        try {
            return new OutputFile(
                    target,
                    partial,
                    channels.open(
                            partial,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE),
                    channels);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /**
     * Writes a file at once.
     *
     * @return what a reader finds
     * @throws FileAccessException if it cannot be written, such as on a full disk
     */
    public static FileDigest writeWhole(Path target, byte[] bytes) {
        try (OutputFile file = create(target)) {
            file.write(ByteBuffer.wrap(bytes));
            return file.commit();
        }
    }

    /** Bytes written so far. */
    public long position() {
        try {
            return channel.position();
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /**
     * Writes the remaining bytes.
     *
     * @throws FileAccessException if the disk refuses
     */
    public void write(ByteBuffer bytes) {
        digest.update(bytes.duplicate());
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
        }
    }

    /** Writes zeros up to a position. */
    public void padTo(long position) {
        write(ByteBuffer.allocate(Math.toIntExact(position - position())));
    }

    /**
     * Makes the file durable and puts it in its place.
     *
     * @return what a reader finds, known from the writing
     * @throws FileAccessException if the disk refuses
     */
    public FileDigest commit() {
        try {
            long sizeBytes = channel.position();
            channel.force(true);
            channel.close();
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            // The new name is durable only when the folder is.
            Durability.force(target.toAbsolutePath().getParent(), channels);
            return FileDigest.of(sizeBytes, digest);
        } catch (IOException e) {
            throw FileAccessException.writing(target, e);
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
