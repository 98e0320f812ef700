package dev.holdfast.loss;

import dev.holdfast.config.Interpolation;
import dev.holdfast.natives.AnchorLossKernel;
import dev.holdfast.natives.LinearAnchorLossKernel;
import dev.holdfast.natives.NativeMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.lang.ref.Reference;
import java.util.Optional;

/**
 * The {@link AnchorLoss} fused with the LM head, on host memory: hidden states and heads in; loss, statistics and the gradients of the
 * student's hidden states and head out. Logits exist for a chunk of tokens at a time, in at most 512 MiB, which this object keeps.
 *
 * <p>A token whose label is −100 or whose weight is 0 costs nothing; its loss, statistics and gradients are exactly 0.
 *
 * <p>Source: arXiv 2605.04468, sections 3 and 4. Thread safety: all methods may be called from any thread; calls wait for one another.
 */
public final class LinearAnchorLoss {
    private final LinearAnchorLossKernel kernel;

    private LinearAnchorLoss(LinearAnchorLossKernel kernel) {
        this.kernel = kernel;
    }

    /** Where the loss is computed. */
    public enum Backend {
        /** Native, double precision, plain loops; operands are not rounded. */
        NATIVE_REFERENCE,
        /** Native, vectorised for the machine at hand and threaded, products by oneDNN. */
        CPU
    }

    /** The implementation for a backend, with operands of products as they are. */
    public static LinearAnchorLoss create(Backend backend) {
        return create(backend, ElementType.FLOAT);
    }

    /**
     * The implementation for a backend.
     *
     * @param operandType what operands of products are rounded to: FLOAT or BFLOAT16; sums are floats
     * @throws dev.holdfast.error.RuntimeFailureException if the native library cannot be loaded
     */
    public static LinearAnchorLoss create(Backend backend, ElementType operandType) {
        AnchorLossKernel.Backend place =
                backend == Backend.CPU ? AnchorLossKernel.Backend.CPU : AnchorLossKernel.Backend.REFERENCE;
        return new LinearAnchorLoss(new LinearAnchorLossKernel(place, operandType.onnxCode()));
    }

    /**
     * Loss, statistics and the gradients that are wanted.
     *
     * @throws IllegalArgumentException if a shape or type does not fit, a label, weight or α is out of range, or the options are none that
     *     the anchor's form can have
     * @throws dev.holdfast.error.RuntimeFailureException if this machine does not multiply operands of that type
     */
    public LinearAnchorLossResult compute(
            LinearAnchorLossInputs inputs, AnchorLossOptions options, LinearGradients gradients) {
        LinearLogits student = inputs.student();
        gradients.requireFor(student);
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(student.tokenCount()));
        HostTensor statistics =
                HostTensor.allocate(ElementType.FLOAT, Shape.of(student.tokenCount(), LossStatistic.COUNT));
        kernel.run(
                student.tokenCount(),
                DirectAnchorLoss.codes(options),
                logits(student),
                anchor(inputs.anchor()),
                new AnchorLossKernel.Tokens(
                        address(inputs.labels()),
                        address(inputs.weights()),
                        inputs.alphas().map(LinearAnchorLoss::address).orElse(0L)),
                new LinearAnchorLossKernel.Outputs(
                        tokenLoss.bytes(),
                        statistics.bytes(),
                        gradients.hidden().map(LinearAnchorLoss::gradient),
                        gradients.head().map(LinearAnchorLoss::gradient)));
        Reference.reachabilityFence(inputs);
        return LinearAnchorLossResult.of(inputs, tokenLoss, statistics);
    }

    /**
     * What can be kept of an anchor whose head is the student's and frozen: H + 1 numbers per token instead of V logits.
     *
     * @param snapshot absent: the reference alone is the anchor
     * @param reference of the same head
     * @param alphas FLOAT[N] in [0, 1]; needed with a snapshot
     * @throws IllegalArgumentException if the heads differ, or a number is out of range
     */
    public LinearAnchor.Mean mean(
            Interpolation interpolation,
            float temperature,
            Optional<LinearLogits> snapshot,
            LinearLogits reference,
            Optional<HostTensor> alphas) {
        HostTensor mean =
                HostTensor.allocate(ElementType.FLOAT, reference.hidden().shape());
        HostTensor entropy = HostTensor.allocate(ElementType.FLOAT, Shape.of(reference.tokenCount()));
        alphas.ifPresent(values ->
                LinearAnchorLossInputs.require("alphas", values, ElementType.FLOAT, Shape.of(reference.tokenCount())));
        snapshot.ifPresent(logits -> LinearAnchorLossInputs.requireTokens("snapshot", logits, reference.tokenCount()));
        kernel.mean(
                reference.tokenCount(),
                interpolation.code(),
                temperature,
                snapshot.map(LinearAnchorLoss::logits),
                logits(reference),
                alphas.map(HostTensor::bytes),
                mean.bytes(),
                entropy.bytes());
        return new LinearAnchor.Mean(mean, entropy);
    }

    private static long address(HostTensor tensor) {
        return NativeMemory.address(tensor.bytes());
    }

    private static LinearAnchorLossKernel.Gradient gradient(LinearGradients.Target target) {
        return new LinearAnchorLossKernel.Gradient(target.tensor().bytes(), target.accumulates());
    }

    private static LinearAnchorLossKernel.Logits logits(LinearLogits logits) {
        return new LinearAnchorLossKernel.Logits(
                logits.hidden().bytes(),
                logits.head().bytes(),
                logits.hiddenSize(),
                logits.vocabularySize(),
                logits.hidden().elementType().onnxCode(),
                logits.head().elementType().onnxCode());
    }

    private static LinearAnchorLossKernel.Anchor anchor(LinearAnchor anchor) {
        Optional<LinearAnchor.Mean> kept =
                anchor instanceof LinearAnchor.Mean mean ? Optional.of(mean) : Optional.empty();
        return new LinearAnchorLossKernel.Anchor(
                anchor.form(),
                anchor.snapshotSide().map(LinearAnchorLoss::logits),
                anchor.referenceSide().map(LinearAnchorLoss::logits),
                kept.map(mean -> mean.mean().bytes()),
                kept.map(mean -> mean.entropy().bytes()));
    }
}
