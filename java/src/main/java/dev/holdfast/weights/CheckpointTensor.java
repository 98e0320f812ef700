package dev.holdfast.weights;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import java.nio.file.Path;

/**
 * A tensor of an ONNX Runtime checkpoint and where its raw little-endian bytes lie, so that ONNX external data can point at them.
 *
 * @param name the parameter's name, or the moment's ({@code momentum0}, {@code momentum1})
 * @param elementType the type of its elements
 * @param shape its dimensions
 * @param file the checkpoint itself or, for a checkpoint over 2 GiB, the {@code .data} file beside it
 * @param offset the first byte in that file
 */
public record CheckpointTensor(String name, ElementType elementType, Shape shape, Path file, long offset) {
    /** Bytes of all elements. */
    public long sizeBytes() {
        return shape.elementCount() * elementType.sizeBytes();
    }
}
