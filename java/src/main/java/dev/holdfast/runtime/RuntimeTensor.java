package dev.holdfast.runtime;

import ai.onnxruntime.OnnxTensor;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;

/**
 * A tensor in ONNX Runtime's memory that can go from one run into the next without passing through Java, such as a key-value cache.
 *
 * <p>Ownership: whoever receives it closes it, once no run uses it any more. Thread safety: reading from several threads is safe.
 */
public final class RuntimeTensor implements AutoCloseable {
    private final String name;
    private final OnnxTensor tensor;
    private final ElementType elementType;
    private final Shape shape;

    /** The buffer under the tensor, which must live as long. */
    private final HostTensor memory;

    private boolean closed;

    private RuntimeTensor(String name, OnnxTensor tensor, ElementType elementType, HostTensor memory) {
        this.name = name;
        this.tensor = tensor;
        this.elementType = elementType;
        this.memory = memory;
        this.shape = Shape.of(tensor.getInfo().getShape());
    }

    /**
     * A tensor over the memory of a host tensor; nothing is copied.
     *
     * @throws RuntimeFailureException if ONNX Runtime's Java API does not have the element type
     */
    public static RuntimeTensor of(HostTensor memory) {
        OnnxTensor tensor = OrtTensors.over(OrtRuntime.boot().environment(), memory.toString(), memory);
        return new RuntimeTensor(memory.toString(), tensor, memory.elementType(), memory);
    }

    static RuntimeTensor owning(String name, OnnxTensor tensor) {
        ElementType type = OrtTensors.elementType(tensor.getInfo().onnxType)
                .orElseThrow(() -> new RuntimeFailureException(
                        "tensor " + name + ": expected numbers, got " + tensor.getInfo().onnxType));
        return new RuntimeTensor(name, tensor, type, null);
    }

    /** The type of the elements. */
    public ElementType elementType() {
        return elementType;
    }

    /** The dimensions. */
    public Shape shape() {
        return shape;
    }

    /**
     * The values on the host: the memory that the tensor was made over, or a copy of ONNX Runtime's.
     *
     * @throws IllegalStateException if the tensor is closed
     */
    public HostTensor toHost() {
        return memory != null ? memory : OrtTensors.copy(name, tensor());
    }

    OnnxTensor tensor() {
        if (closed) {
            throw new IllegalStateException("tensor " + name + ": expected an open one, got a closed one");
        }
        return tensor;
    }

    /** Frees ONNX Runtime's memory; closing again does nothing. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            tensor.close();
        }
    }

    @Override
    public String toString() {
        return elementType + shape.toString();
    }
}
