package dev.holdfast.cache;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * What stands before the hidden states of consecutive rows of a cache.
 *
 * @param first the place of the first row
 * @param count how many rows there are
 * @param error what storing them lost
 * @param checksum CRC-32C of the fields before it and of the hidden states
 */
record BlockHeader(int first, int count, StorageError error, int checksum) {
    private static final int CHECKED_BYTES = 2 * Integer.BYTES + 2 * Double.BYTES;
    static final int SIZE_BYTES = CHECKED_BYTES + 2 * Integer.BYTES;

    static BlockHeader of(int first, int count, StorageError error, ByteBuffer payload) {
        CRC32C checksum = checksum(first, count, error);
        checksum.update(payload.duplicate());
        return new BlockHeader(first, count, error, (int) checksum.getValue());
    }

    static BlockHeader read(ByteBuffer bytes) {
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        int first = bytes.getInt();
        int count = bytes.getInt();
        StorageError error = new StorageError(bytes.getDouble(), bytes.getDouble());
        return new BlockHeader(first, count, error, bytes.getInt());
    }

    /** The checksum as far as the header's own fields go. */
    CRC32C begunChecksum() {
        return checksum(first, count, error);
    }

    private static CRC32C checksum(int first, int count, StorageError error) {
        CRC32C checksum = new CRC32C();
        checksum.update(fields(first, count, error).flip());
        return checksum;
    }

    /** The last four bytes are zeros, so that hidden states begin at a multiple of four. */
    ByteBuffer bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.put(fields(first, count, error).flip())
                .putInt(checksum)
                .putInt(0)
                .flip();
    }

    private static ByteBuffer fields(int first, int count, StorageError error) {
        return ByteBuffer.allocate(CHECKED_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(first)
                .putInt(count)
                .putDouble(error.squaredError())
                .putDouble(error.squaredNorm());
    }
}
