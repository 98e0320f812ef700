package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * The functions {@code hf_linear_anchor_loss} and {@code hf_anchor_mean} on direct buffers of the host; {@code linear_anchor_loss.h} says
 * what they compute.
 *
 * <p>Ownership: buffers are the caller's and are used during a call only; the workspace is this object's and grows to what the largest call
 * wanted. Thread safety: one call at a time; another waits.
 */
public final class LinearAnchorLossKernel {
    private static final int WORKSPACE_ALIGNMENT = 64;

    private final AnchorLossKernel.Backend backend;
    private final int operandType;
    private ByteBuffer workspace = ByteBuffer.allocateDirect(0);

    /**
     * Loads the library.
     *
     * @param operandType ONNX code of the type that operands of products are rounded to: 1 or 16
     * @throws RuntimeFailureException if the library cannot be loaded
     */
    public LinearAnchorLossKernel(AnchorLossKernel.Backend backend, int operandType) {
        NativeLibrary.load();
        this.backend = backend;
        this.operandType = operandType;
    }

    /**
     * Dense hidden states and head of a model.
     *
     * @param hidden direct buffer of [N, hiddenSize] elements
     * @param head direct buffer of [vocabularySize, hiddenSize] elements
     * @param hiddenType ONNX code: 1, 10 or 16
     * @param headType ONNX code: 1 or 16
     */
    public record Logits(
            ByteBuffer hidden, ByteBuffer head, long hiddenSize, long vocabularySize, int hiddenType, int headType) {}

    /**
     * How the anchor is given.
     *
     * @param form the code {@code HF_ANCHOR_...}
     * @param mean FLOAT[N, hidden size of the student]
     * @param entropy FLOAT[N]
     */
    public record Anchor(
            int form,
            Optional<Logits> snapshot,
            Optional<Logits> reference,
            Optional<ByteBuffer> mean,
            Optional<ByteBuffer> entropy) {}

    /**
     * A gradient of floats.
     *
     * @param accumulates whether it is added to what the buffer holds
     */
    public record Gradient(ByteBuffer data, boolean accumulates) {}

    /**
     * Where results go, in direct buffers.
     *
     * @param tokenLoss FLOAT[N]
     * @param statistics FLOAT[N, 11]
     * @param hiddenGradient FLOAT of the student's hidden states' shape
     * @param headGradient FLOAT of the student's head's shape
     */
    public record Outputs(
            ByteBuffer tokenLoss,
            ByteBuffer statistics,
            Optional<Gradient> hiddenGradient,
            Optional<Gradient> headGradient) {}

    /**
     * Computes loss, statistics and gradients of all tokens.
     *
     * @throws IllegalArgumentException if an argument is refused; the message names it
     * @throws RuntimeFailureException if the machine cannot do it, or a product fails
     */
    @SuppressWarnings("try") // the scope frees the structs made while it is open
    public synchronized void run(
            long tokenCount,
            AnchorLossKernel.Options options,
            Logits student,
            Anchor anchor,
            AnchorLossKernel.Tokens tokens,
            Outputs outputs) {
        try (PointerScope scope = new PointerScope()) {
            HoldfastApi.LinearLogits nativeStudent = nativeLogits(student);
            HoldfastApi.LinearAnchor nativeAnchor = nativeAnchor(anchor);
            SizeTPointer bytes = new SizeTPointer(1);
            NativeStatus.check(HoldfastApi.linearAnchorLossWorkspaceBytes(
                    backend.code(), tokenCount, nativeStudent, nativeAnchor, bytes));
            NativeStatus.check(HoldfastApi.linearAnchorLoss(
                    backend.code(),
                    tokenCount,
                    AnchorLossKernel.nativeOptions(options),
                    operandType,
                    nativeStudent,
                    nativeAnchor,
                    AnchorLossKernel.nativeTokens(tokens),
                    nativeOutputs(outputs, student.hiddenSize()),
                    workspace(bytes.get()),
                    bytes.get(),
                    null,
                    null));
        }
    }

    /**
     * Computes the anchor's mean row of the head, and its entropy.
     *
     * @param interpolation 0 logit, 1 probability
     * @param snapshot absent: the reference alone is the anchor
     * @param alphas FLOAT[N]; needed with a snapshot
     * @param mean FLOAT[N, hiddenSize], overwritten
     * @param entropy FLOAT[N], overwritten
     * @throws IllegalArgumentException if an argument is refused; the message names it
     * @throws RuntimeFailureException if the machine cannot do it, or a product fails
     */
    @SuppressWarnings("try") // the scope frees the structs made while it is open
    public synchronized void mean(
            long tokenCount,
            int interpolation,
            float temperature,
            Optional<Logits> snapshot,
            Logits reference,
            Optional<ByteBuffer> alphas,
            ByteBuffer mean,
            ByteBuffer entropy) {
        try (PointerScope scope = new PointerScope()) {
            HoldfastApi.LinearLogits nativeSnapshot =
                    snapshot.map(LinearAnchorLossKernel::nativeLogits).orElse(null);
            HoldfastApi.LinearLogits nativeReference = nativeLogits(reference);
            SizeTPointer bytes = new SizeTPointer(1);
            NativeStatus.check(HoldfastApi.anchorMeanWorkspaceBytes(
                    backend.code(), tokenCount, interpolation, nativeSnapshot, nativeReference, bytes));
            NativeStatus.check(HoldfastApi.anchorMean(
                    backend.code(),
                    tokenCount,
                    interpolation,
                    temperature,
                    operandType,
                    nativeSnapshot,
                    nativeReference,
                    alphas.map(Pointer::new).orElse(null),
                    new Pointer(mean),
                    new Pointer(entropy),
                    workspace(bytes.get()),
                    bytes.get(),
                    null,
                    null));
        }
    }

    private Pointer workspace(long bytes) {
        if (workspace.capacity() < bytes) {
            // Room to align the start, and for the end, which is cut to a whole number of units.
            workspace = ByteBuffer.allocateDirect(Math.toIntExact(bytes + 2 * WORKSPACE_ALIGNMENT))
                    .alignedSlice(WORKSPACE_ALIGNMENT);
        }
        return new Pointer(workspace);
    }

    private static HoldfastApi.LinearLogits nativeLogits(Logits logits) {
        HoldfastApi.LinearLogits struct = new HoldfastApi.LinearLogits();
        return struct.structSize(struct.sizeof())
                .hidden(new Pointer(logits.hidden()))
                .head(new Pointer(logits.head()))
                .hiddenSize(logits.hiddenSize())
                .vocabularySize(logits.vocabularySize())
                .hiddenStride(logits.hiddenSize())
                .headStride(logits.hiddenSize())
                .hiddenType(logits.hiddenType())
                .headType(logits.headType());
    }

    private static HoldfastApi.LinearAnchor nativeAnchor(Anchor anchor) {
        HoldfastApi.LinearAnchor struct = new HoldfastApi.LinearAnchor();
        struct.structSize(struct.sizeof()).form(anchor.form());
        anchor.snapshot().ifPresent(logits -> struct.snapshot(nativeLogits(logits)));
        anchor.reference().ifPresent(logits -> struct.reference(nativeLogits(logits)));
        anchor.mean().ifPresent(mean -> struct.mean(new Pointer(mean)));
        anchor.entropy().ifPresent(entropy -> struct.entropy(new Pointer(entropy)));
        return struct;
    }

    private static HoldfastApi.LinearOutputs nativeOutputs(Outputs outputs, long hiddenSize) {
        HoldfastApi.LinearOutputs struct = new HoldfastApi.LinearOutputs();
        struct.structSize(struct.sizeof())
                .tokenLoss(new Pointer(outputs.tokenLoss()))
                .statistics(new Pointer(outputs.statistics()))
                .hiddenGradientStride(hiddenSize)
                .headGradientStride(hiddenSize)
                .hiddenGradientType(AnchorLossKernel.FLOAT)
                .headGradientType(AnchorLossKernel.FLOAT)
                .hiddenGradientMode(mode(outputs.hiddenGradient()))
                .headGradientMode(mode(outputs.headGradient()));
        outputs.hiddenGradient().ifPresent(gradient -> struct.hiddenGradient(new Pointer(gradient.data())));
        outputs.headGradient().ifPresent(gradient -> struct.headGradient(new Pointer(gradient.data())));
        return struct;
    }

    private static int mode(Optional<Gradient> gradient) {
        return gradient.map(one ->
                        one.accumulates() ? AnchorLossKernel.GRADIENT_ACCUMULATE : AnchorLossKernel.GRADIENT_OVERWRITE)
                .orElse(AnchorLossKernel.GRADIENT_NONE);
    }
}
