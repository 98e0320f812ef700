package dev.holdfast.weights;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.files.OutputFile;
import dev.holdfast.tensor.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Writes safetensors files, one tensor in memory at a time. */
public final class SafetensorsWriter {
    private SafetensorsWriter() {}

    /**
     * Writes a file whole or not at all.
     *
     * @param path where to; a file there is replaced once the new one is complete
     * @param metadata texts to be kept under {@code __metadata__}, such as {@code format: pt}; may be empty
     * @param tensors FLOAT, FLOAT16 or BFLOAT16 tensors under different names, written in this order
     * @throws IllegalArgumentException if a name appears twice, a type is another or a tensor is not as announced
     * @throws dev.holdfast.error.FileAccessException if the file cannot be written
     */
    public static void write(Path path, Map<String, String> metadata, List<PendingTensor> tensors) {
        byte[] header = header(metadata, tensors);
        try (OutputFile file = OutputFile.create(path)) {
            file.write(ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(0, header.length));
            file.write(ByteBuffer.wrap(header));
            for (PendingTensor tensor : tensors) {
                file.write(tensor.produce().bytes());
            }
            file.commit();
        }
    }

    private static byte[] header(Map<String, String> metadata, List<PendingTensor> tensors) {
        ObjectNode root = StrictJson.newObject();
        if (!metadata.isEmpty()) {
            ObjectNode texts = root.putObject(SafetensorsHeader.METADATA);
            metadata.forEach(texts::put);
        }
        long begin = 0;
        for (PendingTensor tensor : tensors) {
            long end = begin + tensor.sizeBytes();
            describe(root, tensor, begin, end);
            begin = end;
        }
        return padded(StrictJson.write(root));
    }

    private static void describe(ObjectNode root, PendingTensor tensor, long begin, long end) {
        if (root.has(tensor.name())) {
            throw new IllegalArgumentException("tensor " + tensor.name() + ": expected once, got it twice");
        }
        ObjectNode entry = root.putObject(tensor.name());
        entry.put("dtype", typeName(tensor));
        Arrays.stream(tensor.shape().toArray()).forEach(entry.putArray("shape")::add);
        entry.putArray("data_offsets").add(begin).add(end);
    }

    private static String typeName(PendingTensor tensor) {
        return switch (tensor.elementType()) {
            case FLOAT -> SafetensorsType.F32.name();
            case FLOAT16 -> SafetensorsType.F16.name();
            case BFLOAT16 -> SafetensorsType.BF16.name();
            default -> throw new IllegalArgumentException("tensor " + tensor.name() + ": expected " + ElementType.FLOAT
                    + ", " + ElementType.FLOAT16 + " or " + ElementType.BFLOAT16 + ", got " + tensor.elementType());
        };
    }

    /** Spaces after the JSON align the first tensor to 8 bytes, as readers that map the file expect. */
    private static byte[] padded(byte[] json) {
        byte[] header = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(header, json.length, header.length, (byte) ' ');
        return header;
    }
}
