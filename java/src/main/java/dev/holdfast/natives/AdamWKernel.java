package dev.holdfast.natives;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * AdamW and the gradient norm over tensors of floats in native memory, with the threads of {@link NativeLibrary#setThreadCount}.
 *
 * <p>Addresses are taken as they are: a wrong one ends the process. Results have the same bits whatever the number of threads.
 */
public final class AdamWKernel {
    static {
        NativeLibrary.load();
    }

    private AdamWKernel() {}

    /**
     * The constants of one step; formula and ranges as in {@code adamw.h}.
     *
     * @param learningRate η, at least 0
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon greater than 0
     * @param weightDecay λ, at least 0
     * @param gradientScale factor on every gradient; 1 unless gradients are clipped
     * @param step 1 in the first step
     */
    public record Settings(
            double learningRate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double gradientScale,
            long step) {}

    /**
     * Where the tensors lie; all arrays have one element per tensor.
     *
     * @param elementCounts elements of each tensor
     * @param parameters addresses of FLOAT parameters, changed by a step
     * @param gradients addresses of FLOAT gradients
     * @param firstMoments addresses of FLOAT first moments, changed by a step
     * @param secondMoments addresses of FLOAT second moments, changed by a step
     */
    public record Tensors(
            long[] elementCounts, long[] parameters, long[] gradients, long[] firstMoments, long[] secondMoments) {}

    /**
     * The Euclidean norm of all gradients together, in double; not finite exactly if a gradient is not.
     *
     * @throws IllegalArgumentException if a count is negative or an address is null
     */
    @SuppressWarnings("try") // the scope frees the arrays made while it is open
    public static double gradientNorm(Tensors tensors) {
        try (PointerScope scope = new PointerScope()) {
            DoublePointer norm = new DoublePointer(1);
            NativeStatus.check(HoldfastApi.gradientNorm(
                    AnchorLossKernel.Backend.CPU.code(),
                    tensors.elementCounts.length,
                    array(tensors.elementCounts),
                    array(tensors.gradients),
                    norm,
                    null));
            return norm.get();
        }
    }

    /**
     * One step of AdamW in place.
     *
     * @throws IllegalArgumentException if a setting is out of range, a count is negative or an address is null; nothing has changed then
     */
    @SuppressWarnings("try") // the scope frees the arrays made while it is open
    public static void step(Settings settings, Tensors tensors) {
        try (PointerScope scope = new PointerScope()) {
            NativeStatus.check(
                    HoldfastApi.adamw(AnchorLossKernel.Backend.CPU.code(), options(settings), tensors(tensors), null));
        }
    }

    private static HoldfastApi.AdamWOptions options(Settings settings) {
        HoldfastApi.AdamWOptions options = new HoldfastApi.AdamWOptions();
        return options.structSize(options.sizeof())
                .learningRate(settings.learningRate)
                .beta1(settings.beta1)
                .beta2(settings.beta2)
                .epsilon(settings.epsilon)
                .weightDecay(settings.weightDecay)
                .gradientScale(settings.gradientScale)
                .step(settings.step);
    }

    private static HoldfastApi.AdamWTensors tensors(Tensors tensors) {
        HoldfastApi.AdamWTensors struct = new HoldfastApi.AdamWTensors();
        return struct.structSize(struct.sizeof())
                .count(tensors.elementCounts.length)
                .elementCounts(array(tensors.elementCounts))
                .parameters(array(tensors.parameters))
                .gradients(array(tensors.gradients))
                .firstMoments(array(tensors.firstMoments))
                .secondMoments(array(tensors.secondMoments));
    }

    private static Pointer array(long[] values) {
        return new LongPointer(values);
    }
}
