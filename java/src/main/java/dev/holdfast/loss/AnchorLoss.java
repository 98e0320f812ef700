package dev.holdfast.loss;

import dev.holdfast.tensor.HostTensor;
import java.util.Optional;

/**
 * The anchor loss of tensors in host memory; {@link DirectAnchorLoss} takes memory anywhere.
 *
 * <p>At every token the anchor q is mixed from snapshot c and reference r, and the student s is pulled towards it:
 *
 * <pre>
 * logit interpolation        q = softmax(((1 - α) c + α r) / τ)
 * probability interpolation  q = (1 - α) softmax(c / τ) + α softmax(r / τ)
 * L_i = kdWeight · D(q, p_s) + ceWeight · ω · (-log p_s(y)),  p_s = softmax(s / τ)
 * loss = Σ w_i L_i
 * </pre>
 *
 * <p>A token whose label is −100 or whose weight is 0 has loss, statistics and gradient exactly 0; so has the divergence's gradient where
 * the student is the anchor. A row without a distribution (NaN, +∞, no finite logit) has loss and gradient NaN.
 *
 * <p>Source: arXiv 2605.04468, sections 3 and 4. Thread safety: all methods may be called from any thread.
 */
public sealed interface AnchorLoss permits JavaAnchorLoss, NativeAnchorLoss, StagedAnchorLoss {

    /** Where the loss is computed. */
    enum Backend {
        /** Java, double precision, plain loops. */
        JAVA,
        /** Native, double precision, plain loops. */
        NATIVE_REFERENCE,
        /** Native, vectorised for the machine at hand and threaded. */
        CPU,
        /**
         * On the current CUDA device. Every call allocates there, copies in and copies out: for tests and occasional use; trainers keep
         * their tensors on the device and take {@link DirectAnchorLoss}.
         */
        CUDA
    }

    /** The implementation for a backend; the native library is loaded at the first computation. */
    static AnchorLoss create(Backend backend) {
        return switch (backend) {
            case JAVA -> new JavaAnchorLoss();
            case NATIVE_REFERENCE, CPU -> new NativeAnchorLoss(backend);
            case CUDA -> new StagedAnchorLoss();
        };
    }

    /**
     * Loss, statistics and gradient.
     *
     * @param gradient where the gradient goes: of the student's shape and a floating-point type of at most 32 bits, possibly the student's
     *     own tensor, which it then overwrites; empty if no gradient is wanted
     * @throws IllegalArgumentException if a label, weight or α is out of range, or the gradient's shape or type does not fit
     * @throws dev.holdfast.error.DeviceFailureException if a device is lost
     * @throws dev.holdfast.error.RuntimeFailureException if the backend's library cannot be loaded, or a device has too little memory
     */
    AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient);

    /** Loss, statistics and gradient, the gradient in a new tensor of the student's type. */
    default AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options) {
        HostTensor gradient = HostTensor.allocate(
                inputs.student().elementType(), inputs.student().shape());
        return compute(inputs, options, Optional.of(gradient));
    }

    /** Checks what every implementation must refuse. */
    static void requireComputable(AnchorLossInputs inputs, Optional<HostTensor> gradient) {
        inputs.requireValidTokens();
        gradient.ifPresent(tensor -> {
            boolean isFloat = tensor.elementType().isFloatingPoint()
                    && tensor.elementType().sizeBytes() <= Float.BYTES;
            if (!isFloat || !tensor.shape().equals(inputs.student().shape())) {
                throw new IllegalArgumentException("gradient: expected floating-point logits "
                        + inputs.student().shape() + ", got " + tensor);
            }
        });
    }
}
