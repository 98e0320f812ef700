package dev.holdfast.train;

import dev.holdfast.natives.NativeMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.List;

/**
 * The parameters and accumulated gradients of a training session where they lie, for reading and changing between two training steps.
 *
 * <p>Made from the output of the graph's operator {@code dev.holdfast:GradientPort}. The addresses stay the same for the life of the
 * session, so one port serves all its steps.
 *
 * <p>Ownership: the memory is the session's. Neither the port nor a tensor that it gave may be used after the session is closed: that ends
 * the process. Thread safety: reading is safe while no step runs and nobody writes.
 */
public final class GradientPort {
    /**
     * A trainable parameter.
     *
     * @param name its name in the graph and the checkpoint
     * @param shape its dimensions
     */
    public record Parameter(String name, Shape shape) {}

    private final List<Parameter> parameters;
    private final long[] addresses;

    private GradientPort(List<Parameter> parameters, long[] addresses) {
        this.parameters = parameters;
        this.addresses = addresses;
    }

    /**
     * The port of a session.
     *
     * @param addresses INT64[n, 2], the operator's output of a training step of that session
     * @param parameters the n trainable parameters in the order of the operator's inputs
     * @throws IllegalArgumentException if the tensor is of another type or shape
     */
    public static GradientPort of(HostTensor addresses, List<Parameter> parameters) {
        Shape expected = Shape.of(parameters.size(), 2);
        if (addresses.elementType() != ElementType.INT64 || !addresses.shape().equals(expected)) {
            throw new IllegalArgumentException("gradient port: expected INT64" + expected + ", got " + addresses);
        }
        return new GradientPort(List.copyOf(parameters), addresses.toLongArray());
    }

    /** The trainable parameters, in the order of their indices. */
    public List<Parameter> parameters() {
        return parameters;
    }

    /** The values of a parameter; what is written there, the next step computes with. */
    public HostTensor parameter(int index) {
        return view(index, parameterAddress(index));
    }

    /** The accumulated gradient of a parameter. */
    public HostTensor gradient(int index) {
        return view(index, gradientAddress(index));
    }

    private HostTensor view(int index, long address) {
        Shape shape = parameters.get(index).shape();
        long sizeBytes = shape.elementCount() * ElementType.FLOAT.sizeBytes();
        return HostTensor.wrap(ElementType.FLOAT, shape, NativeMemory.view(address, sizeBytes));
    }

    long parameterAddress(int index) {
        return addresses[2 * index];
    }

    long gradientAddress(int index) {
        return addresses[2 * index + 1];
    }
}
