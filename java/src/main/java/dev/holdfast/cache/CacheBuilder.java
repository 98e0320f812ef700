package dev.holdfast.cache;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * Fills a cache of hidden states, beginning where an earlier attempt ended. Each block is on the disk before the next one is computed, so
 * that a killed process loses one block at most.
 *
 * <p>Ownership: the caller closes it; the file stays, complete or not. Nobody else builds the file meanwhile, in this process or another.
 */
public final class CacheBuilder implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final CacheContents contents;

    private CacheBuilder(Path file, FileChannel channel, CacheContents contents) {
        this.file = file;
        this.channel = channel;
        this.contents = contents;
    }

    /**
     * Makes the file, or takes up what there is of it: what is not whole is cut off.
     *
     * @param rows in the order in which they are going to be appended; no number twice
     * @return none while another run builds the file
     * @throws dev.holdfast.error.MalformedFileException if a file of the name is no cache
     * @throws dev.holdfast.error.InvalidInputException if it is one of another model, of other rows, or of another type or version
     * @throws FileAccessException if it cannot be read or written
     */
    public static Optional<CacheBuilder> open(Path file, CacheKey key, List<CachedRow> rows) {
        CacheContents contents = new CacheContents(key, rows);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            CacheBuilder builder = new CacheBuilder(file, channel, contents);
            try {
                if (!builder.lock()) {
                    channel.close();
                    return Optional.empty();
                }
                builder.takeUp();
                return Optional.of(builder);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    /** The lock ends with the channel. */
    private boolean lock() throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    private void takeUp() throws IOException {
        contents.scan(file, channel);
        channel.truncate(contents.end());
        channel.position(contents.end());
        if (contents.end() == 0) {
            write(ByteBuffer.wrap(contents.header()));
            channel.force(true);
            contents.begin();
        }
    }

    /** What was wrong with the part of the file that was cut off, if there was any. */
    public Optional<String> fault() {
        return contents.fault();
    }

    /** How many rows are there: the first ones. */
    public int wholeRows() {
        return contents.wholeRows();
    }

    /**
     * Appends the hidden states of the next rows, and has the disk keep them.
     *
     * @param count how many rows, at least 1 and at most as many as are missing
     * @param hidden FLOAT[N, H], row behind row
     * @throws IllegalArgumentException if it is not of the rows' shape
     * @throws InvalidInputException if a number lies beyond the range of the type that the cache stores
     * @throws FileAccessException if the disk refuses, such as when it is full
     */
    public void append(int count, HostTensor hidden) {
        CacheKey key = contents.key();
        long expected = contents.tokens(count) * key.hiddenSize();
        if (hidden.elementCount() != expected) {
            throw new IllegalArgumentException(
                    "hidden states: expected " + expected + " numbers of the next " + count + " rows, got " + hidden);
        }
        HostTensor stored = stored(key.elementType(), hidden);
        StorageError error = error(hidden, stored);
        requireRepresentable(error);
        BlockHeader header = BlockHeader.of(contents.wholeRows(), count, error, stored.bytes());
        try {
            write(header.bytes());
            write(stored.bytes());
            channel.force(false);
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
        contents.add(count, error);
    }

    private void requireRepresentable(StorageError error) {
        if (!Double.isFinite(error.squaredError())) {
            throw new InvalidInputException(file + ": cache: expected hidden states within the range of "
                    + contents.key().elementType() + ", got larger ones; choose another cache_type");
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static HostTensor stored(ElementType type, HostTensor hidden) {
        if (type == ElementType.FLOAT) {
            return hidden;
        }
        HostTensor stored = HostTensor.allocate(type, hidden.shape());
        FloatBuffer source = hidden.floats();
        ShortBuffer target = stored.bytes().asShortBuffer();
        while (source.hasRemaining()) {
            float value = source.get();
            target.put(
                    type == ElementType.FLOAT16
                            ? HalfPrecision.floatToHalf(value)
                            : HalfPrecision.floatToBfloat(value));
        }
        return stored;
    }

    private static StorageError error(HostTensor exact, HostTensor stored) {
        if (exact == stored) {
            return StorageError.NONE;
        }
        FloatBuffer before = exact.floats();
        FloatBuffer after = HalfPrecision.toFloat(stored).floats();
        double squaredError = 0;
        double squaredNorm = 0;
        while (before.hasRemaining()) {
            double value = before.get();
            double lost = after.get() - value;
            squaredError += lost * lost;
            squaredNorm += value * value;
        }
        return new StorageError(squaredError, squaredNorm);
    }

    /** Ends the building; what is missing can be appended by another builder. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }
}
