package dev.holdfast.cache;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * A complete cache of hidden states, read row by row from its file.
 *
 * <p>Rows are read where they are needed rather than mapped: the system's page cache serves both alike, but a mapping counts as memory of
 * the process, ends at 2 GiB in Java, and turns a file that is cut short under it into the death of the process.
 *
 * <p>Ownership: the caller closes it. Thread safety: several threads may read at once.
 */
public final class HiddenCache implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final CacheContents contents;

    HiddenCache(Path file, FileChannel channel, CacheContents contents) {
        this.file = file;
        this.channel = channel;
        this.contents = contents;
    }

    /**
     * Opens a cache if it is there and complete, reading it once to make sure of its bytes.
     *
     * @param rows in the order of the file; no number twice
     * @return none where there is no file, or one that {@link CacheBuilder} has to complete
     * @throws dev.holdfast.error.MalformedFileException if the file is no cache
     * @throws dev.holdfast.error.InvalidInputException if it is one of another model, of other rows, or of another type or version
     * @throws FileAccessException if it cannot be read
     */
    public static Optional<HiddenCache> find(Path file, CacheKey key, List<CachedRow> rows) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        CacheContents contents = new CacheContents(key, rows);
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
            try {
                contents.scan(file, channel);
            } finally {
                if (!contents.isComplete()) {
                    channel.close();
                }
            }
            return contents.isComplete() ? Optional.of(new HiddenCache(file, channel, contents)) : Optional.empty();
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    /** Bytes of the file of a cache, but for a few for each of its blocks. */
    public static long sizeBytes(CacheKey key, List<CachedRow> rows) {
        long tokens = rows.stream().mapToLong(CachedRow::responseTokens).sum();
        return CacheHeader.sizeBytes(rows.size()) + key.sizeBytes(tokens);
    }

    /**
     * The hidden states of rows, one row behind the other.
     *
     * @param rows their numbers, each of a row of the cache
     * @return FLOAT[N, H]
     * @throws FileAccessException if the file cannot be read
     */
    public HostTensor read(List<Long> rows) {
        int[] places = rows.stream().mapToInt(contents::place).toArray();
        long tokens = 0;
        for (int place : places) {
            tokens += contents.row(place).responseTokens();
        }
        CacheKey key = contents.key();
        HostTensor stored = HostTensor.allocate(key.elementType(), Shape.of(tokens, key.hiddenSize()));
        ByteBuffer target = stored.bytes();
        try {
            for (int place : places) {
                long size = key.sizeBytes(contents.row(place).responseTokens());
                target.limit(Math.toIntExact(target.position() + size));
                CacheContents.readFully(channel, target, contents.offset(place));
            }
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
        return HalfPrecision.toFloat(stored);
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Its length. */
    public long sizeBytes() {
        return contents.end();
    }

    /** How hidden states are stored. */
    public ElementType elementType() {
        return contents.key().elementType();
    }

    /** ‖stored − exact‖ / ‖exact‖ over all hidden states; 0 where they are stored as FLOAT. */
    public double relativeError() {
        return contents.error().relative();
    }

    /**
     * Closes the cache and removes its file.
     *
     * @throws FileAccessException if it cannot be removed
     */
    public void remove() {
        close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
