package dev.holdfast.natives;

import dev.holdfast.error.DeviceFailureException;
import dev.holdfast.error.RuntimeFailureException;
import java.util.Optional;

/**
 * The functions {@code hf_anchor_loss...} on memory by address; {@code holdfast.h} says what they compute.
 *
 * <p>Addresses are taken as they are, 0 for none: a wrong one ends the process or loses the device. They point into host memory, or into
 * device memory for {@link Backend#CUDA}. Ownership: the memory is the caller's; it is used during a call, with CUDA until the work on the
 * stream is done. Thread safety: calls may run at once.
 */
public final class AnchorLossKernel {
    static final int FLOAT = 1;
    static final int GRADIENT_NONE = 0;
    static final int GRADIENT_OVERWRITE = 1;
    static final int GRADIENT_ACCUMULATE = 2;

    private AnchorLossKernel() {}

    /** Which implementation runs. */
    public enum Backend {
        REFERENCE(0),
        CPU(1),
        CUDA(2);

        private final int code;

        Backend(int code) {
            this.code = code;
        }

        /** The code of {@code holdfast.h}. */
        int code() {
            return code;
        }

        private void load() {
            NativeLibrary.load();
            if (this == CUDA) {
                CudaLibrary.load();
            }
        }
    }

    /**
     * Options by the codes of {@code holdfast.h}.
     *
     * @param divergence 0 forward KL, 1 reverse KL, 2 JSD
     * @param interpolation 0 logit, 1 probability
     * @param labelWeighting 0 none, 1 DFT
     */
    public record Options(
            int divergence,
            int interpolation,
            int labelWeighting,
            float temperature,
            float kdWeight,
            float ceWeight,
            float beta) {}

    /**
     * Rows of logits or of their gradient.
     *
     * @param address of [N, columns] elements
     * @param columns elements of a row
     * @param rowStride elements from one row to the next, at least {@code columns}
     * @param elementType ONNX code: 1, 10 or 16
     */
    public record Rows(long address, long columns, long rowStride, int elementType) {}

    /**
     * The logits of N tokens.
     *
     * @param snapshot absent: the student's own, held constant
     * @param reference absent: no divergence
     */
    public record Sides(long tokenCount, Rows student, Optional<Rows> snapshot, Optional<Rows> reference) {}

    /**
     * What is given per token.
     *
     * @param labels address of INT64[N]
     * @param weights address of FLOAT[N]
     * @param alphas address of FLOAT[N]; 0 only without a reference
     */
    public record Tokens(long labels, long weights, long alphas) {}

    /**
     * Where results go.
     *
     * @param tokenLoss address of FLOAT[N], or 0
     * @param statistics address of FLOAT[N, 11], or 0
     * @param gradient rows of the student's width; may be the student's own
     * @param gradientMode 1 overwrite, 2 accumulate; not read without a gradient
     */
    public record Outputs(long tokenLoss, long statistics, Optional<Rows> gradient, int gradientMode) {}

    /**
     * How the work reaches a device.
     *
     * @param workspace address of scratch memory aligned to 16 bytes, or 0
     * @param workspaceBytes at least {@link #workspaceBytes}
     * @param stream a {@code cudaStream_t}, 0 for the default stream; 0 without CUDA
     */
    public record Launch(long workspace, long workspaceBytes, long stream) {}

    /**
     * Computes loss, statistics and gradient of all tokens; with CUDA it enqueues that and returns.
     *
     * @throws IllegalArgumentException if an argument is refused; the message names it
     * @throws DeviceFailureException if the device is lost
     * @throws RuntimeFailureException if a library cannot be loaded or fails
     */
    public static void run(
            Backend backend, Options options, Sides sides, Tokens tokens, Outputs outputs, Launch launch) {
        backend.load();
        try (HoldfastApi.Options nativeOptions = nativeOptions(options);
                HoldfastApi.Logits student = nativeLogits(sides.student());
                HoldfastApi.Logits snapshot = nativeLogits(sides.snapshot());
                HoldfastApi.Logits reference = nativeLogits(sides.reference());
                HoldfastApi.Tokens nativeTokens = nativeTokens(tokens);
                HoldfastApi.Outputs nativeOutputs = nativeOutputs(outputs)) {
            NativeStatus.check(HoldfastApi.anchorLoss(
                    backend.code(),
                    sides.tokenCount(),
                    nativeOptions,
                    student,
                    snapshot,
                    reference,
                    nativeTokens,
                    nativeOutputs,
                    launch.workspace(),
                    launch.workspaceBytes(),
                    null,
                    launch.stream()));
        }
    }

    /**
     * Computes Σ weight · token loss over the tokens that take part; with CUDA it enqueues that and returns.
     *
     * @param tokenLoss address of FLOAT[N]
     * @param sum address of a FLOAT
     * @param stream as in {@link Launch}
     */
    public static void sum(Backend backend, long tokenCount, Tokens tokens, long tokenLoss, long sum, long stream) {
        backend.load();
        try (HoldfastApi.Tokens nativeTokens = nativeTokens(tokens)) {
            NativeStatus.check(
                    HoldfastApi.anchorLossSum(backend.code(), tokenCount, nativeTokens, tokenLoss, sum, stream));
        }
    }

    /** Bytes of scratch memory that {@link #run} needs for such sides; 0 without CUDA. */
    public static long workspaceBytes(Backend backend, Sides sides) {
        backend.load();
        try (HoldfastApi.Logits student = nativeLogits(sides.student());
                HoldfastApi.Logits snapshot = nativeLogits(sides.snapshot());
                HoldfastApi.Logits reference = nativeLogits(sides.reference())) {
            long[] bytes = new long[1];
            NativeStatus.check(HoldfastApi.anchorLossWorkspaceBytes(
                    backend.code(), sides.tokenCount(), student, snapshot, reference, bytes));
            return bytes[0];
        }
    }

    static HoldfastApi.Options nativeOptions(Options options) {
        HoldfastApi.Options struct = new HoldfastApi.Options();
        return struct.structSize(struct.sizeof())
                .divergence(options.divergence())
                .interpolation(options.interpolation())
                .labelWeighting(options.labelWeighting())
                .temperature(options.temperature())
                .kdWeight(options.kdWeight())
                .ceWeight(options.ceWeight())
                .beta(options.beta());
    }

    private static HoldfastApi.Logits nativeLogits(Optional<Rows> rows) {
        return rows.map(AnchorLossKernel::nativeLogits).orElse(null);
    }

    private static HoldfastApi.Logits nativeLogits(Rows rows) {
        HoldfastApi.Logits struct = new HoldfastApi.Logits();
        return struct.structSize(struct.sizeof())
                .data(rows.address())
                .vocabularySize(rows.columns())
                .rowStride(rows.rowStride())
                .elementType(rows.elementType());
    }

    static HoldfastApi.Tokens nativeTokens(Tokens tokens) {
        HoldfastApi.Tokens struct = new HoldfastApi.Tokens();
        return struct.structSize(struct.sizeof())
                .labels(tokens.labels())
                .weights(tokens.weights())
                .alphas(tokens.alphas());
    }

    private static HoldfastApi.Outputs nativeOutputs(Outputs outputs) {
        HoldfastApi.Outputs struct = new HoldfastApi.Outputs();
        struct.structSize(struct.sizeof())
                .tokenLoss(outputs.tokenLoss())
                .statistics(outputs.statistics())
                .gradientType(FLOAT)
                .gradientMode(GRADIENT_NONE);
        outputs.gradient().ifPresent(rows -> struct.studentGradient(rows.address())
                .gradientStride(rows.rowStride())
                .gradientType(rows.elementType())
                .gradientMode(outputs.gradientMode()));
        return struct;
    }
}
