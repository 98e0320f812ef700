package dev.holdfast.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of contents of a safetensors file: 8 bytes of length, then JSON, then the tensors' bytes without gaps.
 *
 * <p>Source: safetensors, README, section Format.
 */
final class SafetensorsHeader {
    static final int MAXIMUM_BYTES = 100_000_000;
    static final int LENGTH_BYTES = 8;
    static final String METADATA = "__metadata__";

    private final InputFile file;
    private final long dataStart;
    private final List<Entry> entries = new ArrayList<>();

    private record Entry(String name, SafetensorsType type, Shape shape, long begin, long end) {}

    private SafetensorsHeader(InputFile file, long dataStart) {
        this.file = file;
        this.dataStart = dataStart;
    }

    /** The tensors in the order of their bytes. */
    static Map<String, TableEntry> read(InputFile file) {
        ByteCursor cursor = new ByteCursor(file, 0);
        long length = cursor.readLong();
        if (length < 2 || length > MAXIMUM_BYTES) {
            throw file.malformed(
                    0,
                    "header length: expected 2 to " + MAXIMUM_BYTES + ", got " + Long.toUnsignedString(length)
                            + "; is this a safetensors file?");
        }
        byte[] json = cursor.readBytes((int) length);
        SafetensorsHeader header = new SafetensorsHeader(file, LENGTH_BYTES + length);
        header.readEntries(StrictJson.parse(file.path(), LENGTH_BYTES, json));
        return header.toTable();
    }

    private void readEntries(ObjectNode object) {
        for (Map.Entry<String, JsonNode> property : object.properties()) {
            if (!property.getKey().equals(METADATA)) {
                entries.add(readEntry(property.getKey(), property.getValue()));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        checkCoverage();
    }

    private Entry readEntry(String name, JsonNode node) {
        SafetensorsType type = readType(name, node.path("dtype"));
        Shape shape = readShape(name, node.path("shape"));
        long[] offsets = readLongs(name, "data_offsets", node.path("data_offsets"));
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw malformed(name, "data_offsets: expected [begin, end] in order, got " + node.path("data_offsets"));
        }
        checkExtent(name, type, shape, offsets[0], offsets[1]);
        return new Entry(name, type, shape, offsets[0], offsets[1]);
    }

    private SafetensorsType readType(String name, JsonNode node) {
        if (!node.isTextual()) {
            throw malformed(name, "dtype: expected a string, got " + node);
        }
        return SafetensorsType.ofName(node.textValue())
                .orElseThrow(() -> new UnsupportedModelException(
                        file.path() + ": tensor " + name + ": expected one of " + SafetensorsType.READABLE + ", got "
                                + node.textValue() + "; convert the model to one of these"));
    }

    private Shape readShape(String name, JsonNode node) {
        try {
            return Shape.of(readLongs(name, "shape", node));
        } catch (IllegalArgumentException e) {
            throw malformed(name, e.getMessage());
        }
    }

    private long[] readLongs(String name, String key, JsonNode node) {
        if (!node.isArray()) {
            throw malformed(name, key + ": expected an array, got " + node);
        }
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = node.get(i);
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                throw malformed(name, key + ": expected whole numbers >= 0, got " + value);
            }
            values[i] = value.longValue();
        }
        return values;
    }

    private void checkExtent(String name, SafetensorsType type, Shape shape, long begin, long end) {
        long available = file.size() - dataStart;
        if (end > available) {
            throw file.malformed(
                    dataStart + begin,
                    "truncated: tensor " + name + ": expected bytes up to offset " + (dataStart + end)
                            + ", got a file of " + file.size() + " bytes; copy or download the file again");
        }
        if (shape.elementCount() > available || shape.elementCount() * type.sizeBytes() != end - begin) {
            throw malformed(
                    name, "expected the bytes of shape " + shape + " " + type + ", got " + (end - begin) + " bytes");
        }
    }

    /** The format leaves no byte between tensors and none after the last. */
    private void checkCoverage() {
        long covered = 0;
        for (Entry entry : entries) {
            if (entry.begin != covered) {
                throw malformed(
                        entry.name,
                        "data_offsets: expected to begin at " + covered + ", where the tensor before it ends, got "
                                + entry.begin);
            }
            covered = entry.end;
        }
        if (dataStart + covered != file.size()) {
            throw file.malformed(
                    dataStart + covered,
                    "expected the file to end with the last tensor, got " + (file.size() - dataStart - covered)
                            + " more bytes");
        }
    }

    private Map<String, TableEntry> toTable() {
        Map<String, TableEntry> table = new LinkedHashMap<>();
        entries.forEach(entry -> table.put(entry.name, toTableEntry(entry)));
        return table;
    }

    private TableEntry toTableEntry(Entry entry) {
        WeightInfo info = new WeightInfo(entry.name, entry.type.name(), entry.shape);
        return entry.type
                .format()
                .<TableEntry>map(format -> new StoredTensor(entry.name, format, entry.shape, dataStart + entry.begin))
                .orElseGet(() -> new RefusedTensor(info, SafetensorsType.READABLE));
    }

    private MalformedFileException malformed(String name, String problem) {
        return file.malformed(LENGTH_BYTES, "header: tensor " + name + ": " + problem);
    }
}
