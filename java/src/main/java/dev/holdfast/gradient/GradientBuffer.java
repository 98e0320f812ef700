package dev.holdfast.gradient;

import dev.holdfast.onnx.Value;
import java.util.Optional;

/**
 * Memory of the caller's that the gradient of a value is added to where it lies, instead of being handed over in a tensor of its own.
 *
 * <p>Only the operators of {@link dev.holdfast.onnx.Kernels#HOLDFAST} do that, and only for products and lookups of rows; other
 * gradients come as values of their own.
 *
 * @param total the memory, a graph input of the value's type, or the output of the operator that has added to it last
 * @param reset BOOL[1]: whether the first addition replaces what was there; absent once that addition is made
 */
public record GradientBuffer(Value total, Optional<Value> reset) {
    /** A buffer that nothing has been added to yet. */
    public static GradientBuffer of(Value total, Value reset) {
        return new GradientBuffer(total, Optional.of(reset));
    }

    static GradientBuffer begun(Value total) {
        return new GradientBuffer(total, Optional.empty());
    }

    boolean isBegun() {
        return reset.isEmpty();
    }
}
