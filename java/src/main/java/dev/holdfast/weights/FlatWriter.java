package dev.holdfast.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds flatbuffers front to back.
 *
 * <p>The usual builder works back to front and holds the whole file in memory. Here parents come before children and references are filled
 * in once their targets are known; so the raw bytes of tensors can lie at the end, at known places, and be streamed.
 *
 * <p>Source: flatbuffers, "FlatBuffers Internals".
 */
final class FlatWriter {
    private static final int VTABLE_HEADER_BYTES = 4;
    private static final int TABLE_HEADER_BYTES = 4;

    private ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

    /** Starts a file; the root table has to follow and be referred to from position 0. */
    FlatWriter(String identifier) {
        reserve(4);
        buffer.put(identifier.getBytes(StandardCharsets.ISO_8859_1));
    }

    int position() {
        return buffer.position();
    }

    /** A table of zeros: the positions of its fields. */
    final class Table {
        private final int position;
        private final int[] fields;

        private Table(int position, int[] fields) {
            this.position = position;
            this.fields = fields;
        }

        int position() {
            return position;
        }

        /** Where a field lies, to be referred from. */
        int field(int slot) {
            return position + fields[slot];
        }

        Table int8(int slot, int value) {
            buffer.put(field(slot), (byte) value);
            return this;
        }

        Table int32(int slot, int value) {
            buffer.putInt(field(slot), value);
            return this;
        }

        Table int64(int slot, long value) {
            buffer.putLong(field(slot), value);
            return this;
        }

        Table float32(int slot, float value) {
            buffer.putFloat(field(slot), value);
            return this;
        }

        Table string(int slot, String text) {
            refer(field(slot), FlatWriter.this.string(text));
            return this;
        }
    }

    /**
     * Adds a table.
     *
     * @param fieldBytes for each slot the size of its field, 0 for an absent one
     */
    Table table(int... fieldBytes) {
        int[] fields = new int[fieldBytes.length];
        int end = TABLE_HEADER_BYTES;
        for (int slot = 0; slot < fieldBytes.length; slot++) {
            if (fieldBytes[slot] > 0) {
                fields[slot] = align(end, fieldBytes[slot]);
                end = fields[slot] + fieldBytes[slot];
            }
        }
        int vtable = vtable(fields, end);
        pad(Long.BYTES);
        int position = reserve(end);
        buffer.putInt(position, position - vtable);
        return new Table(position, fields);
    }

    private int vtable(int[] fields, int tableBytes) {
        pad(Short.BYTES);
        int vtableBytes = VTABLE_HEADER_BYTES + Short.BYTES * fields.length;
        int position = reserve(vtableBytes);
        buffer.putShort(position, (short) vtableBytes);
        buffer.putShort(position + 2, (short) tableBytes);
        for (int slot = 0; slot < fields.length; slot++) {
            buffer.putShort(position + VTABLE_HEADER_BYTES + Short.BYTES * slot, (short) fields[slot]);
        }
        return position;
    }

    /** Adds a vector of references; element i lies at {@code result + 4 + 4 i}. */
    int references(int count) {
        pad(Integer.BYTES);
        int position = reserve(Integer.BYTES * (count + 1));
        buffer.putInt(position, count);
        return position;
    }

    int longs(long[] values) {
        while ((position() + Integer.BYTES) % Long.BYTES != 0) {
            reserve(1);
        }
        int position = reserve(Integer.BYTES + Long.BYTES * values.length);
        buffer.putInt(position, values.length);
        for (int i = 0; i < values.length; i++) {
            buffer.putLong(position + Integer.BYTES + Long.BYTES * i, values[i]);
        }
        return position;
    }

    private int string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        pad(Integer.BYTES);
        int position = reserve(Integer.BYTES + bytes.length + 1);
        buffer.putInt(position, bytes.length);
        buffer.put(position + Integer.BYTES, bytes);
        return position;
    }

    /** Makes the field at a position refer to a later target, which may lie beyond what this writer holds. */
    void refer(int field, long target) {
        buffer.putInt(field, (int) (target - field));
    }

    ByteBuffer finish() {
        return buffer.flip();
    }

    private void pad(int alignment) {
        reserve(align(position(), alignment) - position());
    }

    private int reserve(int bytes) {
        int position = buffer.position();
        if (buffer.remaining() < bytes) {
            int capacity = Math.addExact(Math.multiplyExact(2, buffer.capacity()), bytes);
            buffer = ByteBuffer.wrap(Arrays.copyOf(buffer.array(), capacity))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .position(position);
        }
        buffer.position(position + bytes);
        return position;
    }

    private static int align(int position, int alignment) {
        return (position + alignment - 1) / alignment * alignment;
    }
}
