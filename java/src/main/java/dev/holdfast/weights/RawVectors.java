package dev.holdfast.weights;

import dev.holdfast.files.OutputFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The bytes of tensors behind the tables of a flatbuffer, each at a multiple of 64 so that it can be mapped, and written one at a time. */
final class RawVectors {
    static final int ALIGNMENT = 64;
    static final int LENGTH_BYTES = 4;

    /** A tensor whose bytes begin at an offset; where they are a vector, four bytes of length precede them. */
    record Placed(PendingTensor tensor, long offset) {
        /** Writes the vector. */
        void write(OutputFile file) {
            file.padTo(offset - LENGTH_BYTES);
            int length = Math.toIntExact(tensor.sizeBytes());
            file.write(ByteBuffer.allocate(LENGTH_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(0, length));
            file.write(tensor.produce().bytes());
        }
    }

    private record Reference(int field, PendingTensor tensor) {}

    private final List<Reference> references = new ArrayList<>();

    /** Will let a field refer to the bytes of a tensor. */
    void add(int field, PendingTensor tensor) {
        references.add(new Reference(field, tensor));
    }

    /** Finds places behind the tables, which are complete, and lets the fields refer to them; ascending. */
    List<Placed> place(FlatWriter tables) {
        List<Placed> placed = new ArrayList<>();
        long end = tables.position();
        for (Reference reference : references) {
            long offset = align(end + LENGTH_BYTES);
            tables.refer(reference.field, offset - LENGTH_BYTES);
            placed.add(new Placed(reference.tensor, offset));
            end = offset + reference.tensor.sizeBytes();
        }
        return placed;
    }

    static long align(long offset) {
        return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
