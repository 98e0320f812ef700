package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.AnchorLossTargets;
import dev.holdfast.loss.AnchorLossViews;
import dev.holdfast.loss.CudaTensors;
import dev.holdfast.loss.DirectAnchorLoss;
import dev.holdfast.loss.GradientMode;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.natives.CudaLibrary;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Our own CUDA kernels, statistics included, on tensors of the current device and by its clock. */
final class CudaContender implements KernelContender {
    static final String BACKEND = "cuda";

    private static final DirectAnchorLoss KERNELS = DirectAnchorLoss.create(AnchorLoss.Backend.CUDA);

    private final CudaLibrary library = CudaLibrary.load();
    private final CudaTensors tensors = new CudaTensors();
    private final AnchorLossOptions options;
    private final CudaInputs inputs;
    private final TensorView tokenLoss;
    private final TensorView statistics;
    private final TensorView workspace;

    CudaContender(KernelCase kernelCase) {
        this.options = HoldfastContender.options(kernelCase);
        try {
            this.inputs = new CudaInputs(kernelCase, tensors, library.device());
            this.tokenLoss = room(ElementType.FLOAT, kernelCase.rows());
            this.statistics = room(ElementType.FLOAT, kernelCase.rows(), LossStatistic.COUNT);
            this.workspace = room(ElementType.UINT8, KERNELS.workspaceBytes(inputs.set(0)));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private TensorView room(ElementType type, long... shape) {
        return tensors.allocate(type, Shape.of(shape)).view();
    }

    @Override
    public String implementation() {
        return "holdfast";
    }

    @Override
    public String backend() {
        return BACKEND;
    }

    @Override
    public String instructionSet() {
        return "sm_" + library.device().computeCapability();
    }

    @Override
    public OptionalInt threads() {
        return OptionalInt.empty();
    }

    @Override
    public void prepare(int run) {
        inputs.refresh(run);
    }

    @Override
    public double milliseconds(int run) {
        AnchorLossViews views = inputs.set(run);
        AnchorLossTargets targets = AnchorLossTargets.NONE
                .withTokenLoss(tokenLoss)
                .withStatistics(statistics)
                .withGradient(views.student(), GradientMode.OVERWRITE);
        DirectAnchorLoss.Launch launch = DirectAnchorLoss.Launch.DEFAULT.withWorkspace(workspace);
        return library.milliseconds(launch.stream(), () -> KERNELS.run(views, options, targets, launch));
    }

    @Override
    public OptionalLong extraBytes() {
        return OptionalLong.of(bytes(tokenLoss) + bytes(statistics) + bytes(workspace));
    }

    private static long bytes(TensorView view) {
        return view.shape().elementCount() * view.elementType().sizeBytes();
    }

    @Override
    public void close() {
        tensors.close();
    }
}
