package dev.holdfast.weights;

import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything in a GGUF file before the tensors' bytes.
 *
 * <p>Source: ggml, {@code docs/gguf.md}; like ggml itself, this takes tensors only in the order of their infos and without gaps.
 */
final class GgufHeader {
    private static final int MAGIC = 0x46554747;
    private static final int MAXIMUM_ARRAY_LENGTH = 1 << 24;
    private static final int MAXIMUM_ARRAY_DEPTH = 4;
    private static final int MAXIMUM_NAME_BYTES = 1 << 16;
    private static final int MAXIMUM_RANK = 4;
    private static final int MAXIMUM_ALIGNMENT = 1 << 20;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int METADATA_MINIMUM_BYTES = 13;
    private static final int TENSOR_MINIMUM_BYTES = 32;

    private final InputFile file;
    private final ByteCursor cursor;
    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    private GgufHeader(InputFile file) {
        this.file = file;
        this.cursor = new ByteCursor(file, 0);
    }

    static GgufHeader read(InputFile file) {
        GgufHeader header = new GgufHeader(file);
        header.readAll();
        return header;
    }

    Map<String, Object> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    Map<String, StoredTensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    private void readAll() {
        readMagic();
        long tensorCount = readCount("tensor count", TENSOR_MINIMUM_BYTES);
        long metadataCount = readCount("metadata count", METADATA_MINIMUM_BYTES);
        for (long i = 0; i < metadataCount; i++) {
            readMetadata();
        }
        readTensors(tensorCount);
    }

    private void readMagic() {
        int magic = cursor.readInt();
        if (magic != MAGIC) {
            throw cursor.malformed(
                    0, String.format("expected the letters GGUF, got bytes 0x%08x; is this a GGUF file?", magic));
        }
        int version = cursor.readInt();
        if (version != 2 && version != 3) {
            throw cursor.malformed(
                    4, "GGUF version: expected 2 or 3 (little-endian), got " + Integer.toUnsignedString(version));
        }
    }

    private long readCount(String what, int minimumBytes) {
        long start = cursor.position();
        return checkCount(start, what, cursor.readLong(), minimumBytes, Integer.MAX_VALUE);
    }

    /** A count that the rest of the file cannot hold is refused before anything is allocated for it. */
    private long checkCount(long start, String what, long count, int minimumBytes, long maximum) {
        long limit = Math.min(maximum, cursor.remaining() / minimumBytes);
        if (count < 0 || count > limit) {
            throw cursor.malformed(
                    start,
                    what + ": expected at most " + limit + " (what the rest of the file can hold), got "
                            + Long.toUnsignedString(count));
        }
        return count;
    }

    private void readMetadata() {
        long start = cursor.position();
        String key = cursor.readString(MAXIMUM_NAME_BYTES);
        Object value = readValue(GgufValueType.read(cursor), 0);
        if (metadata.put(key, value) != null) {
            throw cursor.malformed(start, "metadata key " + key + ": expected once, got it twice");
        }
    }

    private Object readValue(GgufValueType type, int depth) {
        return type == GgufValueType.ARRAY ? readArray(depth + 1) : type.readScalar(cursor);
    }

    private List<Object> readArray(int depth) {
        long start = cursor.position();
        if (depth > MAXIMUM_ARRAY_DEPTH) {
            throw cursor.malformed(
                    start, "nested arrays: expected at most " + MAXIMUM_ARRAY_DEPTH + " levels, got more");
        }
        GgufValueType type = GgufValueType.read(cursor);
        long count = checkCount(start, "array length", cursor.readLong(), type.minimumBytes(), MAXIMUM_ARRAY_LENGTH);
        List<Object> values = new ArrayList<>((int) count);
        for (long i = 0; i < count; i++) {
            values.add(readValue(type, depth));
        }
        return Collections.unmodifiableList(values);
    }

    private record Info(String name, Shape shape, int type, long offset, long start) {}

    private void readTensors(long count) {
        List<Info> infos = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            infos.add(readInfo());
        }
        int alignment = alignment();
        long dataStart = align(cursor.position(), alignment);
        long expectedOffset = 0;
        for (Info info : infos) {
            StoredTensor tensor = place(info, dataStart, expectedOffset);
            expectedOffset = align(expectedOffset + tensor.sizeBytes(), alignment);
            if (tensors.put(info.name, tensor) != null) {
                throw cursor.malformed(info.start, "tensor " + info.name + ": expected once, got it twice");
            }
        }
    }

    private Info readInfo() {
        long start = cursor.position();
        String name = cursor.readString(MAXIMUM_NAME_BYTES);
        Shape shape = readShape(name);
        int type = cursor.readInt();
        return new Info(name, shape, type, cursor.readLong(), start);
    }

    /** GGUF has the innermost dimension first. */
    private Shape readShape(String name) {
        long start = cursor.position();
        int rank = cursor.readInt();
        if (rank < 1 || rank > MAXIMUM_RANK) {
            throw cursor.malformed(
                    start,
                    "tensor " + name + ": expected 1 to " + MAXIMUM_RANK + " dimensions, got "
                            + Integer.toUnsignedString(rank));
        }
        long[] dimensions = new long[rank];
        for (int i = rank - 1; i >= 0; i--) {
            dimensions[i] = cursor.readLong();
        }
        try {
            return Shape.of(dimensions);
        } catch (IllegalArgumentException e) {
            throw cursor.malformed(start, "tensor " + name + ": " + e.getMessage());
        }
    }

    private int alignment() {
        Object value = metadata.getOrDefault("general.alignment", (long) DEFAULT_ALIGNMENT);
        if (value instanceof Long alignment
                && Long.bitCount(alignment) == 1
                && alignment > 0
                && alignment <= MAXIMUM_ALIGNMENT) {
            return alignment.intValue();
        }
        throw cursor.malformed(
                0, "general.alignment: expected a power of two up to " + MAXIMUM_ALIGNMENT + ", got " + value);
    }

    private StoredTensor place(Info info, long dataStart, long expectedOffset) {
        StorageFormat format = format(info);
        long innermost = info.shape.dimension(-1);
        if (innermost % format.blockLength() != 0) {
            throw cursor.malformed(
                    info.start,
                    "tensor " + info.name + ": expected rows of a multiple of " + format.blockLength() + " values for "
                            + format + ", got " + innermost);
        }
        if (info.offset != expectedOffset) {
            throw cursor.malformed(
                    info.start,
                    "tensor " + info.name + ": expected data offset " + expectedOffset + ", got "
                            + Long.toUnsignedString(info.offset));
        }
        long position = dataStart + expectedOffset;
        checkExtent(info, format, position);
        return new StoredTensor(info.name, format, info.shape, position);
    }

    private StorageFormat format(Info info) {
        return StorageFormat.ofGgmlCode(info.type)
                .orElseThrow(() -> new UnsupportedModelException(file.path() + ": tensor " + info.name
                        + ": expected one of " + StorageFormat.supported() + ", got " + GgmlTypeNames.of(info.type)
                        + "; convert or quantise the model again to one of these"));
    }

    private void checkExtent(Info info, StorageFormat format, long position) {
        long blocks = info.shape.elementCount() / format.blockLength();
        long available = Math.max(0, file.size() - position);
        if (blocks > available / format.blockBytes()) {
            throw cursor.malformed(
                    position,
                    "truncated: tensor " + info.name + " " + info.shape + " " + format + ": expected " + blocks
                            + " blocks of " + format.blockBytes() + " bytes, got " + available
                            + " bytes; copy or download the file again");
        }
    }

    private static long align(long position, int alignment) {
        return (position + alignment - 1) / alignment * alignment;
    }
}
