package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Walks the tables of a checkpoint.
 *
 * <p>Source: ONNX Runtime, {@code onnxruntime/core/flatbuffers/schema/ort_training_checkpoint.fbs} and {@code ort.fbs} (Tensor).
 */
final class CheckpointReader {
    private static final int MAXIMUM_RANK = 64;

    private final InputFile file;
    private final FlatFile flat;
    private final Path dataPath;
    private final long dataSize;

    private CheckpointReader(InputFile file) {
        this.file = file;
        this.flat = new FlatFile(file);
        this.dataPath = CheckpointFormat.dataPath(file.path());
        this.dataSize = sizeOrMissing(dataPath);
    }

    static OrtCheckpoint read(InputFile file) {
        return new CheckpointReader(file).readRoot();
    }

    private static long sizeOrMissing(Path path) {
        try {
            return Files.size(path);
        } catch (IOException e) {
            return -1;
        }
    }

    private OrtCheckpoint readRoot() {
        FlatTable root = flat.root(CheckpointFormat.IDENTIFIER);
        int version = root.int32(CheckpointFormat.ROOT_VERSION);
        if (version != CheckpointFormat.VERSION) {
            throw file.malformed(
                    root.position(), "checkpoint version: expected " + CheckpointFormat.VERSION + ", got " + version);
        }
        FlatTable module = root.table(CheckpointFormat.ROOT_MODULE)
                .orElseThrow(() -> file.malformed(root.position(), "module state: expected one, got none"));
        Map<String, CheckpointTensor> names = new LinkedHashMap<>();
        List<CheckpointTensor> trainable = readParameters(module, CheckpointFormat.MODULE_TRAINABLE, names);
        List<CheckpointTensor> frozen = readParameters(module, CheckpointFormat.MODULE_FROZEN, names);
        return new OrtCheckpoint(file.path(), trainable, frozen, readGroups(root), readProperties(root));
    }

    private List<CheckpointTensor> readParameters(FlatTable module, int slot, Map<String, CheckpointTensor> seen) {
        List<CheckpointTensor> parameters = new ArrayList<>();
        for (FlatTable table : module.tables(slot)) {
            CheckpointTensor tensor = readTensor(table);
            if (seen.put(tensor.name(), tensor) != null) {
                throw file.malformed(table.position(), "parameter " + tensor.name() + ": expected once, got it twice");
            }
            parameters.add(tensor);
        }
        return List.copyOf(parameters);
    }

    private List<OptimizerGroup<CheckpointTensor>> readGroups(FlatTable root) {
        List<OptimizerGroup<CheckpointTensor>> groups = new ArrayList<>();
        for (FlatTable group : root.tables(CheckpointFormat.ROOT_GROUPS)) {
            groups.add(new OptimizerGroup<>(
                    group.string(CheckpointFormat.GROUP_NAME),
                    group.int64(CheckpointFormat.GROUP_STEP, 0),
                    group.float32(CheckpointFormat.GROUP_LEARNING_RATE),
                    readMoments(group)));
        }
        return List.copyOf(groups);
    }

    private Map<String, List<CheckpointTensor>> readMoments(FlatTable group) {
        Map<String, List<CheckpointTensor>> moments = new LinkedHashMap<>();
        for (FlatTable state : group.tables(CheckpointFormat.GROUP_STATES)) {
            String parameter = state.string(CheckpointFormat.STATE_PARAMETER);
            List<CheckpointTensor> tensors = state.tables(CheckpointFormat.STATE_MOMENTS).stream()
                    .map(this::readTensor)
                    .toList();
            if (moments.put(parameter, tensors) != null) {
                throw file.malformed(
                        state.position(), "optimizer state of " + parameter + ": expected once, got it twice");
            }
        }
        return moments;
    }

    private Map<String, Object> readProperties(FlatTable root) {
        Map<String, Object> properties = new LinkedHashMap<>();
        root.table(CheckpointFormat.ROOT_PROPERTIES).ifPresent(bag -> {
            bag.tables(CheckpointFormat.BAG_INTEGERS)
                    .forEach(entry ->
                            properties.put(propertyName(entry), entry.int64(CheckpointFormat.PROPERTY_VALUE, 0)));
            bag.tables(CheckpointFormat.BAG_FLOATS)
                    .forEach(entry ->
                            properties.put(propertyName(entry), entry.float32(CheckpointFormat.PROPERTY_VALUE)));
            bag.tables(CheckpointFormat.BAG_STRINGS)
                    .forEach(entry ->
                            properties.put(propertyName(entry), entry.string(CheckpointFormat.PROPERTY_VALUE)));
        });
        return properties;
    }

    private static String propertyName(FlatTable entry) {
        return entry.string(CheckpointFormat.PROPERTY_NAME);
    }

    private CheckpointTensor readTensor(FlatTable table) {
        String name = table.string(CheckpointFormat.TENSOR_NAME);
        ElementType type = readType(name, table);
        Shape shape = readShape(name, table);
        long externalOffset = table.int64(CheckpointFormat.TENSOR_EXTERNAL_OFFSET, -1);
        if (externalOffset >= 0) {
            return external(table, name, type, shape, externalOffset);
        }
        long vector = table.reference(CheckpointFormat.TENSOR_RAW_DATA);
        long length = vector < 0 ? 0 : flat.vectorLength(vector, 1);
        if (!holds(shape, type, length)) {
            throw file.malformed(
                    table.position(), "tensor " + name + ": expected the bytes of " + type + shape + ", got " + length);
        }
        return new CheckpointTensor(name, type, shape, file.path(), vector < 0 ? 0 : vector + 4);
    }

    private CheckpointTensor external(FlatTable table, String name, ElementType type, Shape shape, long offset) {
        if (dataSize < 0) {
            throw MalformedFileException.of(
                    file.path(), "expected the file " + dataPath.getFileName() + " beside it, got none; copy it too");
        }
        if (offset > dataSize || shape.elementCount() > (dataSize - offset) / type.sizeBytes()) {
            throw MalformedFileException.atOffset(
                    dataPath,
                    Math.min(offset, dataSize),
                    "tensor " + name + " (described at offset " + table.position() + " of the checkpoint): expected "
                            + type + shape + ", got a file of " + dataSize + " bytes");
        }
        return new CheckpointTensor(name, type, shape, dataPath, offset);
    }

    private static boolean holds(Shape shape, ElementType type, long bytes) {
        long count = shape.elementCount();
        return count <= bytes && count * type.sizeBytes() == bytes;
    }

    private ElementType readType(String name, FlatTable table) {
        int code = table.int32(CheckpointFormat.TENSOR_TYPE);
        try {
            return ElementType.ofOnnxCode(code);
        } catch (IllegalArgumentException e) {
            throw new UnsupportedModelException(
                    file.path() + ": tensor " + name + ": expected a numeric element type, got ONNX type code " + code,
                    e);
        }
    }

    private Shape readShape(String name, FlatTable table) {
        long vector = table.reference(CheckpointFormat.TENSOR_DIMENSIONS);
        long rank = vector < 0 ? 0 : flat.vectorLength(vector, 8);
        if (rank > MAXIMUM_RANK) {
            throw file.malformed(
                    vector, "tensor " + name + ": expected at most " + MAXIMUM_RANK + " dimensions, got " + rank);
        }
        long[] dimensions = new long[(int) rank];
        for (int i = 0; i < rank; i++) {
            dimensions[i] = flat.int64(vector + 4 + 8L * i);
        }
        try {
            return Shape.of(dimensions);
        } catch (IllegalArgumentException e) {
            throw file.malformed(vector, "tensor " + name + ": " + e.getMessage());
        }
    }
}
