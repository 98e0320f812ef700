package dev.holdfast.natives;

import dev.holdfast.error.RuntimeFailureException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;

/**
 * The function {@code hf_anchor_loss} on direct buffers of the host; {@code holdfast.h} says what it computes.
 *
 * <p>Thread safety: calls may run at once. Ownership: buffers are the caller's and are used during a call only.
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
        CPU(1);

        private final int code;

        Backend(int code) {
            this.code = code;
        }

        /** The code of {@code holdfast.h}. */
        int code() {
            return code;
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
     * Dense rows of logits.
     *
     * @param data direct buffer of [N, vocabularySize] elements
     * @param vocabularySize elements of a row
     * @param elementType ONNX code: 1, 10 or 16
     */
    public record Logits(ByteBuffer data, long vocabularySize, int elementType) {}

    /**
     * What is given per token, in direct buffers.
     *
     * @param labels INT64[N]
     * @param weights FLOAT[N]
     * @param alphas FLOAT[N]; needed with a reference
     */
    public record Tokens(ByteBuffer labels, ByteBuffer weights, Optional<ByteBuffer> alphas) {}

    /**
     * Where results go, in direct buffers.
     *
     * @param tokenLoss FLOAT[N]
     * @param statistics FLOAT[N, 11]
     * @param gradient rows of the student's shape; may be the student's own buffer
     */
    public record Outputs(ByteBuffer tokenLoss, ByteBuffer statistics, Optional<Logits> gradient) {}

    /**
     * Computes loss, statistics and gradient of all tokens.
     *
     * @throws IllegalArgumentException if an argument is refused; the message names it
     * @throws RuntimeFailureException if the library cannot be loaded or fails
     */
    public static void run(
            Backend backend,
            long tokenCount,
            Options options,
            Logits student,
            Optional<Logits> snapshot,
            Optional<Logits> reference,
            Tokens tokens,
            Outputs outputs) {
        NativeLibrary.load();
        try (HoldfastApi.Options nativeOptions = nativeOptions(options);
                HoldfastApi.Logits nativeStudent = nativeLogits(student);
                HoldfastApi.Logits nativeSnapshot =
                        snapshot.map(AnchorLossKernel::nativeLogits).orElse(null);
                HoldfastApi.Logits nativeReference =
                        reference.map(AnchorLossKernel::nativeLogits).orElse(null);
                HoldfastApi.Tokens nativeTokens = nativeTokens(tokens);
                HoldfastApi.Outputs nativeOutputs = nativeOutputs(outputs)) {
            check(
                    "hf_anchor_loss",
                    HoldfastApi.anchorLoss(
                            backend.code(),
                            tokenCount,
                            nativeOptions,
                            nativeStudent,
                            nativeSnapshot,
                            nativeReference,
                            nativeTokens,
                            nativeOutputs,
                            null,
                            0,
                            null,
                            null));
        }
    }

    static void check(String function, int status) {
        if (status == HoldfastApi.INVALID_ARGUMENT) {
            throw new IllegalArgumentException(HoldfastApi.lastError());
        }
        if (status != HoldfastApi.OK) {
            throw new RuntimeFailureException(function + ": " + HoldfastApi.lastError());
        }
    }

    static HoldfastApi.Options nativeOptions(Options options) {
        HoldfastApi.Options struct = new HoldfastApi.Options();
        struct.structSize(struct.sizeof());
        struct.divergence(options.divergence());
        struct.interpolation(options.interpolation());
        struct.labelWeighting(options.labelWeighting());
        struct.temperature(options.temperature());
        struct.kdWeight(options.kdWeight());
        struct.ceWeight(options.ceWeight());
        struct.beta(options.beta());
        return struct;
    }

    private static HoldfastApi.Logits nativeLogits(Logits logits) {
        HoldfastApi.Logits struct = new HoldfastApi.Logits();
        struct.structSize(struct.sizeof());
        struct.data(new Pointer(logits.data()));
        struct.vocabularySize(logits.vocabularySize());
        struct.rowStride(logits.vocabularySize());
        struct.elementType(logits.elementType());
        return struct;
    }

    static HoldfastApi.Tokens nativeTokens(Tokens tokens) {
        HoldfastApi.Tokens struct = new HoldfastApi.Tokens();
        struct.structSize(struct.sizeof());
        struct.labels(new Pointer(tokens.labels()));
        struct.weights(new Pointer(tokens.weights()));
        tokens.alphas().ifPresent(alphas -> struct.alphas(new Pointer(alphas)));
        return struct;
    }

    private static HoldfastApi.Outputs nativeOutputs(Outputs outputs) {
        HoldfastApi.Outputs struct = new HoldfastApi.Outputs();
        struct.structSize(struct.sizeof());
        struct.tokenLoss(new Pointer(outputs.tokenLoss()));
        struct.statistics(new Pointer(outputs.statistics()));
        struct.gradientMode(GRADIENT_NONE);
        struct.gradientType(FLOAT);
        outputs.gradient().ifPresent(gradient -> {
            struct.studentGradient(new Pointer(gradient.data()));
            struct.gradientStride(gradient.vocabularySize());
            struct.gradientType(gradient.elementType());
            struct.gradientMode(GRADIENT_OVERWRITE);
        });
        return struct;
    }
}
