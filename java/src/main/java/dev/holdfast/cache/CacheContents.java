package dev.holdfast.cache;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/** What of a cache's file is whole: its header, and the blocks up to the first one that is missing, cut short or damaged. */
final class CacheContents {
    private static final int CHUNK_BYTES = 1 << 20;

    private final CacheKey key;
    private final List<CachedRow> rows;
    private final byte[] header;
    private final long[] offsets;
    private final Map<Long, Integer> places = new HashMap<>();
    private int wholeRows;
    private long end;
    private StorageError error = StorageError.NONE;
    private Optional<String> fault = Optional.empty();

    /**
     * @param rows in the order of the file; no number twice
     */
    CacheContents(CacheKey key, List<CachedRow> rows) {
        this.key = key;
        this.rows = List.copyOf(rows);
        this.header = CacheHeader.of(key, rows);
        this.offsets = new long[rows.size()];
        for (int place = 0; place < rows.size(); place++) {
            places.put(rows.get(place).row(), place);
        }
    }

    /** Reads the file once. */
    void scan(Path file, FileChannel channel) throws IOException {
        long length = channel.size();
        byte[] got = new byte[(int) Math.min(header.length, length)];
        readFully(channel, ByteBuffer.wrap(got), 0);
        if (!CacheHeader.isWhole(file, header, got)) {
            fault = length == 0 ? Optional.empty() : Optional.of("its header is not whole");
            return;
        }
        end = header.length;
        while (wholeRows < rows.size() && end < length) {
            if (!takeBlock(channel, length)) {
                fault = Optional.of("the block at offset " + end + " is not whole");
                return;
            }
        }
        if (wholeRows == rows.size() && end < length) {
            fault = Optional.of((length - end) + " bytes stand behind its end");
        }
    }

    private boolean takeBlock(FileChannel channel, long length) throws IOException {
        if (length - end < BlockHeader.SIZE_BYTES) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.allocate(BlockHeader.SIZE_BYTES);
        readFully(channel, bytes, end);
        BlockHeader block = BlockHeader.read(bytes.flip());
        if (block.first() != wholeRows || block.count() < 1 || block.count() > rows.size() - wholeRows) {
            return false;
        }
        long start = end + BlockHeader.SIZE_BYTES;
        long size = key.sizeBytes(tokens(block.count()));
        if (size > length - start || checksum(channel, block, start, size) != block.checksum()) {
            return false;
        }
        add(block.count(), block.error());
        return true;
    }

    private static int checksum(FileChannel channel, BlockHeader block, long start, long size) throws IOException {
        CRC32C checksum = block.begunChecksum();
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK_BYTES, size));
        for (long done = 0; done < size; done += chunk.limit()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), size - done));
            readFully(channel, chunk, start + done);
            checksum.update(chunk.flip());
        }
        return (int) checksum.getValue();
    }

    static void readFully(FileChannel channel, ByteBuffer target, long offset) throws IOException {
        long at = offset;
        while (target.hasRemaining()) {
            int read = channel.read(target, at);
            if (read < 0) {
                throw new EOFException("unexpected end at offset " + at);
            }
            at += read;
        }
    }

    /** Takes note of a block of the next rows at the end. */
    void add(int count, StorageError lost) {
        end += BlockHeader.SIZE_BYTES;
        for (int i = 0; i < count; i++) {
            offsets[wholeRows] = end;
            end += key.sizeBytes(rows.get(wholeRows).responseTokens());
            wholeRows++;
        }
        error = error.plus(lost);
    }

    /** Takes note of a header without blocks. */
    void begin() {
        end = header.length;
    }

    CacheKey key() {
        return key;
    }

    byte[] header() {
        return header.clone();
    }

    int rowCount() {
        return rows.size();
    }

    /** The rows whose hidden states are there: the first ones. */
    int wholeRows() {
        return wholeRows;
    }

    boolean isComplete() {
        return wholeRows == rows.size() && fault.isEmpty();
    }

    /** Where the whole part ends; 0 where not even the header is whole. */
    long end() {
        return end;
    }

    StorageError error() {
        return error;
    }

    /** Why what stands behind the whole part cannot be used. */
    Optional<String> fault() {
        return fault;
    }

    /** The response tokens of the next so many rows. */
    long tokens(int count) {
        return rows.subList(wholeRows, wholeRows + count).stream()
                .mapToLong(CachedRow::responseTokens)
                .sum();
    }

    /**
     * The place of a row.
     *
     * @throws IllegalArgumentException if the cache has none of this number
     */
    int place(long row) {
        Integer place = places.get(row);
        if (place == null) {
            throw new IllegalArgumentException("row: expected a number of one of the cached rows, got " + row);
        }
        return place;
    }

    CachedRow row(int place) {
        return rows.get(place);
    }

    /** Where the hidden states of a row begin. */
    long offset(int place) {
        return offsets[place];
    }
}
