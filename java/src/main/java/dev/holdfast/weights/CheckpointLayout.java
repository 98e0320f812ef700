package dev.holdfast.weights;

import static dev.holdfast.weights.CheckpointFormat.BAG_FLOATS;
import static dev.holdfast.weights.CheckpointFormat.BAG_INTEGERS;
import static dev.holdfast.weights.CheckpointFormat.BAG_STRINGS;
import static dev.holdfast.weights.CheckpointFormat.GROUP_LEARNING_RATE;
import static dev.holdfast.weights.CheckpointFormat.GROUP_NAME;
import static dev.holdfast.weights.CheckpointFormat.GROUP_STATES;
import static dev.holdfast.weights.CheckpointFormat.GROUP_STEP;
import static dev.holdfast.weights.CheckpointFormat.IDENTIFIER;
import static dev.holdfast.weights.CheckpointFormat.MODULE_FROZEN;
import static dev.holdfast.weights.CheckpointFormat.MODULE_HAS_EXTERNAL_DATA;
import static dev.holdfast.weights.CheckpointFormat.MODULE_TRAINABLE;
import static dev.holdfast.weights.CheckpointFormat.PROPERTY_NAME;
import static dev.holdfast.weights.CheckpointFormat.PROPERTY_VALUE;
import static dev.holdfast.weights.CheckpointFormat.ROOT_GROUPS;
import static dev.holdfast.weights.CheckpointFormat.ROOT_MODULE;
import static dev.holdfast.weights.CheckpointFormat.ROOT_PROPERTIES;
import static dev.holdfast.weights.CheckpointFormat.ROOT_VERSION;
import static dev.holdfast.weights.CheckpointFormat.STATE_MOMENTS;
import static dev.holdfast.weights.CheckpointFormat.STATE_PARAMETER;
import static dev.holdfast.weights.CheckpointFormat.TENSOR_DIMENSIONS;
import static dev.holdfast.weights.CheckpointFormat.TENSOR_EXTERNAL_OFFSET;
import static dev.holdfast.weights.CheckpointFormat.TENSOR_NAME;
import static dev.holdfast.weights.CheckpointFormat.TENSOR_RAW_DATA;
import static dev.holdfast.weights.CheckpointFormat.TENSOR_TYPE;
import static dev.holdfast.weights.CheckpointFormat.VERSION;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** Decides where everything in a checkpoint lies: the tables first, then each tensor's bytes. */
final class CheckpointLayout {
    private static final int TABLES_BYTES_PER_TENSOR = 256;
    private static final int TABLES_BYTES_AT_LEAST = 1 << 16;

    private final FlatWriter writer = new FlatWriter(IDENTIFIER);
    private final RawVectors vectors = new RawVectors();
    private final List<RawVectors.Placed> inline;
    private final List<RawVectors.Placed> external = new ArrayList<>();
    private final boolean parametersOutside;
    private final boolean momentsOutside;
    private long externalEnd;

    CheckpointLayout(
            List<PendingTensor> trainable,
            List<PendingTensor> frozen,
            List<OptimizerGroup<PendingTensor>> groups,
            Map<String, Object> properties,
            long inlineLimit) {
        List<PendingTensor> parameters =
                Stream.concat(trainable.stream(), frozen.stream()).toList();
        List<PendingTensor> moments = groups.stream()
                .flatMap(group -> group.moments().values().stream())
                .flatMap(List::stream)
                .toList();
        long tables = TABLES_BYTES_AT_LEAST + tableBytes(parameters) + tableBytes(moments) + textBytes(properties);
        long momentBytes = rawBytes(moments);
        parametersOutside = tables + rawBytes(parameters) + momentBytes > inlineLimit;
        momentsOutside = tables + momentBytes > inlineLimit;
        addRoot(trainable, frozen, groups, properties);
        inline = vectors.place(writer);
    }

    /** Whether some tensors' bytes lie in the file beside the checkpoint. */
    boolean hasExternalData() {
        return parametersOutside;
    }

    /** The tables, from the first byte of the file on. */
    ByteBuffer head() {
        return writer.finish();
    }

    /** The tensors in the checkpoint itself, ascending; four bytes of length precede each. */
    List<RawVectors.Placed> inline() {
        return inline;
    }

    /** The tensors in the file beside it, ascending. */
    List<RawVectors.Placed> external() {
        return external;
    }

    private static long rawBytes(List<PendingTensor> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> tensor.sizeBytes() + RawVectors.ALIGNMENT + RawVectors.LENGTH_BYTES)
                .sum();
    }

    private static long tableBytes(List<PendingTensor> tensors) {
        return tensors.stream()
                .mapToLong(
                        tensor -> TABLES_BYTES_PER_TENSOR + 8L * tensor.shape().rank() + utf8Bytes(tensor.name()))
                .sum();
    }

    private static long textBytes(Map<String, Object> properties) {
        return properties.entrySet().stream()
                .mapToLong(entry -> TABLES_BYTES_PER_TENSOR
                        + utf8Bytes(entry.getKey())
                        + utf8Bytes(entry.getValue().toString()))
                .sum();
    }

    private static int utf8Bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private void addRoot(
            List<PendingTensor> trainable,
            List<PendingTensor> frozen,
            List<OptimizerGroup<PendingTensor>> groups,
            Map<String, Object> properties) {
        FlatWriter.Table root = writer.table(4, 4, groups.isEmpty() ? 0 : 4, properties.isEmpty() ? 0 : 4);
        writer.refer(0, root.position());
        root.int32(ROOT_VERSION, VERSION);
        writer.refer(root.field(ROOT_MODULE), addModule(trainable, frozen));
        if (!groups.isEmpty()) {
            writer.refer(root.field(ROOT_GROUPS), addAll(groups, this::addGroup));
        }
        if (!properties.isEmpty()) {
            writer.refer(root.field(ROOT_PROPERTIES), addProperties(properties));
        }
    }

    private int addModule(List<PendingTensor> trainable, List<PendingTensor> frozen) {
        FlatWriter.Table module = writer.table(4, 4, 1, 1);
        module.int8(MODULE_HAS_EXTERNAL_DATA, parametersOutside ? 1 : 0);
        writer.refer(module.field(MODULE_TRAINABLE), addAll(trainable, tensor -> addTensor(tensor, parametersOutside)));
        writer.refer(module.field(MODULE_FROZEN), addAll(frozen, tensor -> addTensor(tensor, parametersOutside)));
        return module.position();
    }

    private int addGroup(OptimizerGroup<PendingTensor> group) {
        FlatWriter.Table table = writer.table(4, 8, 4, 4);
        table.string(GROUP_NAME, group.name())
                .int64(GROUP_STEP, group.step())
                .float32(GROUP_LEARNING_RATE, group.initialLearningRate());
        List<Map.Entry<String, List<PendingTensor>>> states =
                List.copyOf(group.moments().entrySet());
        writer.refer(table.field(GROUP_STATES), addAll(states, this::addState));
        return table.position();
    }

    private int addState(Map.Entry<String, List<PendingTensor>> state) {
        FlatWriter.Table table = writer.table(4, 4).string(STATE_PARAMETER, state.getKey());
        writer.refer(table.field(STATE_MOMENTS), addAll(state.getValue(), tensor -> addTensor(tensor, momentsOutside)));
        return table.position();
    }

    private int addTensor(PendingTensor tensor, boolean outside) {
        FlatWriter.Table table = writer.table(4, 0, 4, 4, outside ? 0 : 4, 0, outside ? 8 : 0);
        table.string(TENSOR_NAME, tensor.name())
                .int32(TENSOR_TYPE, tensor.elementType().onnxCode());
        writer.refer(table.field(TENSOR_DIMENSIONS), writer.longs(tensor.shape().toArray()));
        if (outside) {
            table.int64(TENSOR_EXTERNAL_OFFSET, placeExternal(tensor));
        } else {
            vectors.add(table.field(TENSOR_RAW_DATA), tensor);
        }
        return table.position();
    }

    private int addProperties(Map<String, Object> properties) {
        FlatWriter.Table bag = writer.table(4, 4, 4);
        writer.refer(bag.field(BAG_INTEGERS), addAll(ofType(properties, Long.class), this::addProperty));
        writer.refer(bag.field(BAG_FLOATS), addAll(ofType(properties, Float.class), this::addProperty));
        writer.refer(bag.field(BAG_STRINGS), addAll(ofType(properties, String.class), this::addProperty));
        return bag.position();
    }

    private static List<Map.Entry<String, Object>> ofType(Map<String, Object> properties, Class<?> type) {
        return properties.entrySet().stream()
                .filter(entry -> type.isInstance(entry.getValue()))
                .toList();
    }

    private int addProperty(Map.Entry<String, Object> property) {
        FlatWriter.Table table =
                writer.table(4, property.getValue() instanceof Long ? 8 : 4).string(PROPERTY_NAME, property.getKey());
        if (property.getValue() instanceof Long number) {
            table.int64(PROPERTY_VALUE, number);
        } else if (property.getValue() instanceof Float number) {
            table.float32(PROPERTY_VALUE, number);
        } else {
            table.string(PROPERTY_VALUE, property.getValue().toString());
        }
        return table.position();
    }

    private <T> int addAll(List<T> items, ToIntFunction<T> add) {
        int vector = writer.references(items.size());
        for (int i = 0; i < items.size(); i++) {
            writer.refer(vector + RawVectors.LENGTH_BYTES * (i + 1), add.applyAsInt(items.get(i)));
        }
        return vector;
    }

    private long placeExternal(PendingTensor tensor) {
        long offset = RawVectors.align(externalEnd);
        external.add(new RawVectors.Placed(tensor, offset));
        externalEnd = offset + tensor.sizeBytes();
        return offset;
    }
}
