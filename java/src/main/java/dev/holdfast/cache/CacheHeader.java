package dev.holdfast.cache;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The bytes before a cache's blocks. They follow from key and rows, so a file is checked against what it must begin with, and no size that
 * it states is ever trusted.
 */
final class CacheHeader {
    private static final byte[] MAGIC = "HFHIDDEN".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;

    private static final int VERSION_AT = MAGIC.length;
    private static final int TYPE_AT = VERSION_AT + Integer.BYTES;
    private static final int HIDDEN_SIZE_AT = TYPE_AT + Integer.BYTES;
    private static final int ROW_COUNT_AT = HIDDEN_SIZE_AT + Integer.BYTES;
    private static final int DIGEST_BYTES = 32;
    private static final int MODEL_AT = ROW_COUNT_AT + Integer.BYTES;
    private static final int ROWS_AT = MODEL_AT + DIGEST_BYTES;
    private static final int INDEX_AT = ROWS_AT + DIGEST_BYTES;
    private static final int ENTRY_BYTES = Long.BYTES + Integer.BYTES;

    private static final String HINT = "; remove it, or name another cache_dir";

    private CacheHeader() {}

    static int sizeBytes(int rowCount) {
        return Math.addExact(INDEX_AT + Integer.BYTES, Math.multiplyExact(rowCount, ENTRY_BYTES));
    }

    static byte[] of(CacheKey key, List<CachedRow> rows) {
        ByteBuffer header = ByteBuffer.allocate(sizeBytes(rows.size())).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).putInt(VERSION);
        header.putInt(key.elementType().onnxCode()).putInt(key.hiddenSize()).putInt(rows.size());
        header.put(HexFormat.of().parseHex(key.model()));
        header.put(HexFormat.of().parseHex(key.rows()));
        rows.forEach(row -> header.putLong(row.row()).putInt(row.responseTokens()));
        header.putInt(checksum(header.array()));
        return header.array();
    }

    /** Of all but the last four bytes, which hold it. */
    private static int checksum(byte[] header) {
        CRC32C checksum = new CRC32C();
        checksum.update(header, 0, header.length - Integer.BYTES);
        return (int) checksum.getValue();
    }

    /**
     * Makes sure that a file's first bytes are those of the cache that is expected.
     *
     * @param got as many bytes as the expected ones, or all that the file has
     * @return whether they are whole; false where the header was cut short or damaged, so that nothing behind it can be relied on
     * @throws MalformedFileException if the file is no cache
     * @throws InvalidInputException if it is one of another version, of another model, of other rows, or of another type
     */
    static boolean isWhole(Path file, byte[] expected, byte[] got) {
        if (Arrays.equals(expected, got)) {
            return true;
        }
        requireCache(file, got);
        if (got.length < INDEX_AT) {
            return false;
        }
        ByteBuffer then = ByteBuffer.wrap(got).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer now = ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN);
        requireSame(file, "version", now.getInt(VERSION_AT), then.getInt(VERSION_AT));
        boolean comparable = got.length == expected.length && then.getInt(ROW_COUNT_AT) == now.getInt(ROW_COUNT_AT);
        if (comparable && checksum(got) != then.getInt(got.length - Integer.BYTES)) {
            return false;
        }
        requireSame(file, "model: SHA-256", hex(expected, MODEL_AT), hex(got, MODEL_AT));
        requireSame(
                file,
                "rows (the data, the tokenizer or the chat template): SHA-256",
                hex(expected, ROWS_AT),
                hex(got, ROWS_AT));
        requireSame(file, "element type", now.getInt(TYPE_AT), then.getInt(TYPE_AT));
        requireSame(file, "hidden size", now.getInt(HIDDEN_SIZE_AT), then.getInt(HIDDEN_SIZE_AT));
        // The rows are known to be the same ones: what differs is damage.
        return false;
    }

    private static void requireCache(Path file, byte[] got) {
        int length = Math.min(MAGIC.length, got.length);
        if (!Arrays.equals(got, 0, length, MAGIC, 0, length)) {
            throw MalformedFileException.of(
                    file, "expected a cache of hidden states, got a file that does not begin as one" + HINT);
        }
    }

    private static String hex(byte[] header, int offset) {
        return HexFormat.of().formatHex(header, offset, offset + DIGEST_BYTES);
    }

    private static void requireSame(Path file, String what, Object expected, Object got) {
        if (!expected.equals(got)) {
            throw new InvalidInputException(
                    file + ": cache: " + what + ": expected " + expected + ", got " + got + HINT);
        }
    }
}
