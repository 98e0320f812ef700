package dev.holdfast.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Random access to a flatbuffers file, every access checked.
 *
 * <p>Offsets in such a file may point anywhere, also many to one place, so that a small file could stand for endless tables. What is read
 * is therefore counted against a few times the file's size.
 */
final class FlatFile {
    private static final int MAXIMUM_STRING_BYTES = 1 << 26;
    private static final int BUDGET_FACTOR = 4;
    private static final int TABLE_COST = 8;

    private final InputFile file;
    private final ByteBuffer scratch = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    private long budget;

    FlatFile(InputFile file) {
        this.file = file;
        this.budget = BUDGET_FACTOR * file.size();
    }

    InputFile file() {
        return file;
    }

    FlatTable root(String identifier) {
        String got = new String(read(4, 4).array(), 0, 4, StandardCharsets.ISO_8859_1);
        if (!got.equals(identifier)) {
            throw file.malformed(
                    4,
                    "expected the identifier " + identifier + ", got bytes 0x" + Integer.toHexString(int32(4))
                            + "; is this an ONNX Runtime training checkpoint?");
        }
        return table(target(0));
    }

    FlatTable table(long position) {
        spend(position, TABLE_COST);
        return FlatTable.at(this, position);
    }

    byte int8(long position) {
        return read(position, 1).get(0);
    }

    int uint16(long position) {
        return read(position, 2).getShort(0) & 0xffff;
    }

    int int32(long position) {
        return read(position, 4).getInt(0);
    }

    long uint32(long position) {
        return int32(position) & 0xffffffffL;
    }

    long int64(long position) {
        return read(position, 8).getLong(0);
    }

    float float32(long position) {
        return read(position, 4).getFloat(0);
    }

    /** Where the offset stored at a position leads. */
    long target(long position) {
        return position + uint32(position);
    }

    /** The length of the vector at a position, after a check that all of it lies in the file. */
    long vectorLength(long position, int elementBytes) {
        long length = uint32(position);
        long available = file.size() - position - 4;
        if (length * elementBytes > available) {
            throw file.malformed(
                    position,
                    "truncated or corrupt: expected " + length * elementBytes + " bytes more, got " + available
                            + " up to the end of the file at " + file.size() + "; copy or download the file again");
        }
        return length;
    }

    String string(long position) {
        long length = vectorLength(position, 1);
        if (length > MAXIMUM_STRING_BYTES) {
            throw file.malformed(
                    position, "string length: expected at most " + MAXIMUM_STRING_BYTES + ", got " + length);
        }
        spend(position, length);
        byte[] bytes = new byte[(int) length];
        file.read(position + 4, ByteBuffer.wrap(bytes));
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void spend(long position, long bytes) {
        budget -= bytes;
        if (budget < 0) {
            throw file.malformed(
                    position,
                    "expected each part of the file to be used once, got far more uses than the file has bytes");
        }
    }

    private ByteBuffer read(long position, int count) {
        if (position < 0 || position > file.size() - count) {
            throw file.malformed(
                    position,
                    "expected an offset inside the file of " + file.size() + " bytes, got " + position
                            + "; the file is truncated or corrupt");
        }
        file.read(position, scratch.clear().limit(count));
        return scratch;
    }
}
