package dev.holdfast.weights;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A table of a flatbuffers file: fields by slot, absent ones with their defaults. */
final class FlatTable {
    private static final int VTABLE_HEADER_BYTES = 4;

    private final FlatFile file;
    private final long position;
    private final long vtable;
    private final int vtableBytes;
    private final int tableBytes;

    private FlatTable(FlatFile file, long position, long vtable) {
        this.file = file;
        this.position = position;
        this.vtable = vtable;
        this.vtableBytes = file.uint16(vtable);
        this.tableBytes = file.uint16(vtable + 2);
    }

    static FlatTable at(FlatFile file, long position) {
        FlatTable table = new FlatTable(file, position, position - file.int32(position));
        if (table.vtableBytes < VTABLE_HEADER_BYTES || table.tableBytes < VTABLE_HEADER_BYTES) {
            throw file.file()
                    .malformed(
                            position,
                            "table: expected sizes of at least 4, got " + table.vtableBytes + " and "
                                    + table.tableBytes);
        }
        return table;
    }

    long position() {
        return position;
    }

    byte int8(int slot) {
        long field = field(slot, 1);
        return field < 0 ? 0 : file.int8(field);
    }

    int int32(int slot) {
        long field = field(slot, 4);
        return field < 0 ? 0 : file.int32(field);
    }

    long int64(int slot, long absent) {
        long field = field(slot, 8);
        return field < 0 ? absent : file.int64(field);
    }

    float float32(int slot) {
        long field = field(slot, 4);
        return field < 0 ? 0 : file.float32(field);
    }

    /** Where the value that a field refers to lies; -1 where the field is absent. */
    long reference(int slot) {
        long field = field(slot, 4);
        return field < 0 ? -1 : file.target(field);
    }

    /** A text; empty where absent. */
    String string(int slot) {
        long target = reference(slot);
        return target < 0 ? "" : file.string(target);
    }

    Optional<FlatTable> table(int slot) {
        long target = reference(slot);
        return target < 0 ? Optional.empty() : Optional.of(file.table(target));
    }

    /** The tables of a vector; none where absent. */
    List<FlatTable> tables(int slot) {
        List<FlatTable> tables = new ArrayList<>();
        long vector = reference(slot);
        long length = vector < 0 ? 0 : file.vectorLength(vector, 4);
        for (long i = 0; i < length; i++) {
            tables.add(file.table(file.target(vector + 4 + 4 * i)));
        }
        return tables;
    }

    private long field(int slot, int bytes) {
        int entry = VTABLE_HEADER_BYTES + 2 * slot;
        int offset = entry + 2 > vtableBytes ? 0 : file.uint16(vtable + entry);
        if (offset == 0) {
            return -1;
        }
        if (offset < VTABLE_HEADER_BYTES || offset + bytes > tableBytes) {
            throw file.file()
                    .malformed(
                            position,
                            "table: expected field " + slot + " inside its " + tableBytes + " bytes, got offset "
                                    + offset);
        }
        return position + offset;
    }
}
