package dev.holdfast.onnx;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Collectors;

/** The numbers of a matrix in a model file or in its external data. */
final class TensorValues {
    private TensorValues() {}

    /**
     * Reads FLOAT, FLOAT16 or BFLOAT16 values as FLOAT.
     *
     * @param model the file that the tensor stands in
     */
    static HostTensor read(Path model, TensorProto tensor) {
        ElementType type = ElementType.ofOnnxCode(tensor.getDataType());
        HostTensor stored = HostTensor.allocate(
                type,
                Shape.of(
                        tensor.getDimsList().stream().mapToLong(Long::longValue).toArray()));
        if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
            readExternal(model, tensor, stored.bytes());
        } else if (tensor.hasRawData() && tensor.getRawData().size() == stored.sizeBytes()) {
            stored.bytes().put(tensor.getRawData().asReadOnlyByteBuffer());
        } else if (type == ElementType.FLOAT && tensor.getFloatDataCount() == stored.elementCount()) {
            FloatBuffer target = stored.floats();
            tensor.getFloatDataList().forEach(target::put);
        } else {
            throw MalformedFileException.of(
                    model,
                    "tensor \"" + tensor.getName() + "\": expected " + stored.sizeBytes() + " bytes of " + stored);
        }
        return HalfPrecision.toFloat(stored);
    }

    private static void readExternal(Path model, TensorProto tensor, ByteBuffer target) {
        var entries = tensor.getExternalDataList().stream()
                .collect(Collectors.toMap(StringStringEntryProto::getKey, StringStringEntryProto::getValue));
        Path data = model.resolveSibling(entries.get("location"));
        try (FileChannel channel = FileChannel.open(data, StandardOpenOption.READ)) {
            long at = Long.parseLong(entries.getOrDefault("offset", "0"));
            while (target.hasRemaining()) {
                int read = channel.read(target, at);
                if (read < 0) {
                    throw new EOFException("unexpected end at offset " + at);
                }
                at += read;
            }
        } catch (IOException e) {
            throw FileAccessException.reading(data, e);
        }
    }

    /** A FLOAT matrix [H, V] as [V, H]. */
    static HostTensor transposed(HostTensor matrix) {
        int rows = (int) matrix.shape().dimension(0);
        int columns = (int) matrix.shape().dimension(1);
        HostTensor result = HostTensor.allocate(ElementType.FLOAT, Shape.of(columns, rows));
        FloatBuffer source = matrix.floats();
        FloatBuffer target = result.floats();
        for (int column = 0; column < columns; column++) {
            for (int row = 0; row < rows; row++) {
                target.put(source.get(row * columns + column));
            }
        }
        return result;
    }
}
