package dev.holdfast.loss;

import dev.holdfast.natives.CudaMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Tensors in memory of the current CUDA device that are freed together, for tests, benchmarks and occasional use. Copies wait for the work
 * on the default stream.
 *
 * <p>Ownership: {@link #close} frees all of them; no work may use them then. Thread safety: one thread at a time.
 */
public final class CudaTensors implements AutoCloseable {
    private final Deque<CudaMemory> memories = new ArrayDeque<>();

    /** A dense tensor of the device and the memory that is its own. */
    public record CudaTensor(CudaMemory memory, TensorView view) {
        /** Fills it from a tensor of the same size. */
        public void copyFrom(HostTensor tensor) {
            memory.copyFrom(tensor.bytes());
        }

        /** Fills a tensor of the same size. */
        public void copyTo(HostTensor tensor) {
            memory.copyTo(tensor.bytes());
        }
    }

    /**
     * A tensor with unknown content.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if the device has too little memory, or there are no CUDA kernels
     */
    public CudaTensor allocate(ElementType elementType, Shape shape) {
        CudaMemory memory = CudaMemory.allocate(Math.multiplyExact(shape.elementCount(), elementType.sizeBytes()));
        memories.push(memory);
        return new CudaTensor(memory, TensorView.cuda(memory.address(), elementType, shape));
    }

    /** A tensor for what another holds or is to hold. */
    public CudaTensor allocateFor(HostTensor tensor) {
        return allocate(tensor.elementType(), tensor.shape());
    }

    /** A copy of a tensor. */
    public CudaTensor copyOf(HostTensor tensor) {
        CudaTensor copy = allocateFor(tensor);
        copy.copyFrom(tensor);
        return copy;
    }

    @Override
    public void close() {
        while (!memories.isEmpty()) {
            memories.pop().close();
        }
    }
}
