package dev.holdfast.loss;

import dev.holdfast.natives.AnchorLossKernel;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.TensorView;
import java.util.Optional;

/**
 * The anchor loss on memory by address, for trainers that have their own: of the host for the native CPU backends, of the current device
 * for CUDA. It allocates nothing, copies nothing and, with CUDA, waits for nothing. {@link AnchorLoss} says what is computed.
 *
 * <p>With pointers of JavaCPP's CUDA presets:
 *
 * <pre>{@code
 * DirectAnchorLoss kernels = DirectAnchorLoss.create(AnchorLoss.Backend.CUDA);
 * TensorView student = TensorView.cuda(studentLogits.address(), ElementType.BFLOAT16, Shape.of(tokens, vocabulary));
 * AnchorLossViews inputs = new AnchorLossViews(student, Optional.of(snapshot), Optional.of(reference), labels, weights, Optional.of(alphas));
 * AnchorLossTargets targets = AnchorLossTargets.NONE
 *         .withTokenLoss(tokenLoss)
 *         .withGradient(student, GradientMode.OVERWRITE);              // in place of the logits
 * kernels.run(inputs, options, targets, Launch.on(stream.address()));  // a CUstream_st
 * }</pre>
 *
 * <p>Ownership: all memory is the caller's and must stay until the work is done. Thread safety: calls may run at once; a CUDA call works on
 * the device that is current for its thread.
 */
public final class DirectAnchorLoss {
    private final AnchorLossKernel.Backend backend;
    private final TensorView.Memory memory;

    private DirectAnchorLoss(AnchorLossKernel.Backend backend) {
        this.backend = backend;
        this.memory = backend == AnchorLossKernel.Backend.CUDA ? TensorView.Memory.CUDA : TensorView.Memory.HOST;
    }

    /**
     * The kernels of a backend; its library is loaded at the first computation.
     *
     * @throws IllegalArgumentException for {@link AnchorLoss.Backend#JAVA}, which has no kernels on addresses
     */
    public static DirectAnchorLoss create(AnchorLoss.Backend backend) {
        return new DirectAnchorLoss(
                switch (backend) {
                    case NATIVE_REFERENCE -> AnchorLossKernel.Backend.REFERENCE;
                    case CPU -> AnchorLossKernel.Backend.CPU;
                    case CUDA -> AnchorLossKernel.Backend.CUDA;
                    case JAVA -> throw new IllegalArgumentException(
                            "backend: expected NATIVE_REFERENCE, CPU or CUDA, got JAVA; AnchorLoss.create(JAVA) takes tensors of the host");
                });
    }

    /**
     * How the work reaches a device.
     *
     * @param workspace UINT8 memory of the device, aligned to 16 bytes, of at least {@link #workspaceBytes}; absent where that is 0
     * @param stream a {@code cudaStream_t}; 0 for the default stream
     */
    public record Launch(Optional<TensorView> workspace, long stream) {
        /** On the default stream, without a workspace: for the CPU the only one. */
        public static final Launch DEFAULT = on(0);

        /** On a stream, without a workspace. */
        public static Launch on(long stream) {
            return new Launch(Optional.empty(), stream);
        }

        /** This with a workspace. */
        public Launch withWorkspace(TensorView scratch) {
            return new Launch(Optional.of(scratch), stream);
        }
    }

    /**
     * Bytes of workspace that {@link #run} wants for such inputs; 0 for the CPU.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if the backend's library cannot be loaded
     */
    public long workspaceBytes(AnchorLossViews inputs) {
        return AnchorLossKernel.workspaceBytes(backend, sides(inputs));
    }

    /**
     * Computes what has a target. With CUDA the work is enqueued on the stream, and the call returns; the device's values are not checked
     * then: a label out of range makes loss and gradient of its token NaN, weights and alphas are taken as they are.
     *
     * @throws IllegalArgumentException if memory is not the backend's, a type, shape or stride does not fit, memory overlaps, the workspace
     *     is too small, or (on the CPU) a label, weight or α is out of range; nothing was written then
     * @throws dev.holdfast.error.DeviceFailureException if the device is lost
     * @throws dev.holdfast.error.RuntimeFailureException if the backend's library cannot be loaded or fails
     */
    public void run(AnchorLossViews inputs, AnchorLossOptions options, AnchorLossTargets targets, Launch launch) {
        AnchorLossKernel.Sides sides = sides(inputs);
        AnchorLossKernel.Tokens tokens = new AnchorLossKernel.Tokens(
                address("labels", inputs.labels()),
                address("weights", inputs.weights()),
                address("alphas", inputs.alphas()));
        AnchorLossKernel.Outputs outputs = outputs(inputs, targets);
        long sum = sum(targets);
        AnchorLossKernel.run(backend, codes(options), sides, tokens, outputs, launch(launch));
        if (targets.loss().isPresent()) {
            AnchorLossKernel.sum(backend, sides.tokenCount(), tokens, outputs.tokenLoss(), sum, launch.stream());
        }
    }

    private AnchorLossKernel.Sides sides(AnchorLossViews inputs) {
        return new AnchorLossKernel.Sides(
                inputs.tokenCount(),
                rows("student", inputs.student()),
                inputs.snapshot().map(logits -> rows("snapshot", logits)),
                inputs.reference().map(logits -> rows("reference", logits)));
    }

    private AnchorLossKernel.Outputs outputs(AnchorLossViews inputs, AnchorLossTargets targets) {
        long tokenCount = inputs.tokenCount();
        targets.tokenLoss().ifPresent(view -> require("tokenLoss", view, tokenCount));
        targets.statistics().ifPresent(view -> require("statistics", view, tokenCount, LossStatistic.COUNT));
        targets.statistics()
                .filter(view -> view.rowStride() != LossStatistic.COUNT)
                .ifPresent(view -> {
                    throw new IllegalArgumentException("statistics: expected dense rows, got " + view);
                });
        targets.gradient().ifPresent(view -> requireGradient(view, inputs.student()));
        return new AnchorLossKernel.Outputs(
                address("tokenLoss", targets.tokenLoss()),
                address("statistics", targets.statistics()),
                targets.gradient().map(view -> rows("gradient", view)),
                targets.gradientMode().code());
    }

    private long sum(AnchorLossTargets targets) {
        targets.loss().ifPresent(view -> require("loss", view));
        return address("loss", targets.loss());
    }

    private AnchorLossKernel.Launch launch(Launch launch) {
        return new AnchorLossKernel.Launch(
                address("workspace", launch.workspace()),
                launch.workspace()
                        .map(view ->
                                view.shape().elementCount() * view.elementType().sizeBytes())
                        .orElse(0L),
                launch.stream());
    }

    private static void require(String name, TensorView view, long... shape) {
        TokenTensors.require(name, view.elementType(), view.shape(), ElementType.FLOAT, shape);
    }

    private static void requireGradient(TensorView gradient, TensorView student) {
        TokenTensors.requireLogits("gradient", gradient.elementType(), gradient.shape(), student.shape());
        if (!gradient.shape().equals(student.shape())) {
            throw new IllegalArgumentException("gradient: expected shape " + student.shape() + ", got " + gradient);
        }
    }

    private AnchorLossKernel.Rows rows(String name, TensorView view) {
        return new AnchorLossKernel.Rows(
                address(name, view),
                view.shape().dimension(1),
                view.rowStride(),
                view.elementType().onnxCode());
    }

    private long address(String name, Optional<TensorView> view) {
        return view.map(present -> address(name, present)).orElse(0L);
    }

    /** Memory of the wrong kind would end the process, or be read by a device as something else. */
    private long address(String name, TensorView view) {
        if (view.memory() != memory) {
            throw new IllegalArgumentException(name + ": expected " + memory + " memory, got " + view
                    + (memory == TensorView.Memory.CUDA
                            ? "; copy it to the device, or let AnchorLoss.create(CUDA) do that"
                            : "; the kernels on it are those of the backend " + view.memory()));
        }
        return view.address();
    }

    static AnchorLossKernel.Options codes(AnchorLossOptions options) {
        return new AnchorLossKernel.Options(
                options.divergence().code(),
                options.interpolation().code(),
                options.labelWeighting().code(),
                options.temperature(),
                options.kdWeight(),
                options.ceWeight(),
                options.beta());
    }
}
