package dev.holdfast.loss;

import dev.holdfast.loss.CudaTensors.CudaTensor;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import java.util.Optional;

/** The CUDA kernels on tensors of the host: copied to the device, computed there and copied back, with memory of the call's own. */
final class StagedAnchorLoss implements AnchorLoss {
    private final DirectAnchorLoss kernels = DirectAnchorLoss.create(Backend.CUDA);

    @Override
    public AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient) {
        AnchorLoss.requireComputable(inputs, gradient);
        int tokens = inputs.tokenCount();
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens));
        HostTensor statistics = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens, LossStatistic.COUNT));
        try (CudaTensors device = new CudaTensors()) {
            CudaTensor losses = device.allocateFor(tokenLoss);
            CudaTensor columns = device.allocateFor(statistics);
            Optional<CudaTensor> rows = gradient.map(device::allocateFor);
            run(device, inputs, options, targets(losses, columns, rows));
            losses.copyTo(tokenLoss);
            columns.copyTo(statistics);
            rows.ifPresent(tensor -> tensor.copyTo(gradient.orElseThrow()));
        }
        return AnchorLossResult.of(inputs, tokenLoss, statistics, gradient);
    }

    private static AnchorLossTargets targets(CudaTensor losses, CudaTensor columns, Optional<CudaTensor> rows) {
        AnchorLossTargets targets =
                AnchorLossTargets.NONE.withTokenLoss(losses.view()).withStatistics(columns.view());
        return rows.map(tensor -> targets.withGradient(tensor.view(), GradientMode.OVERWRITE))
                .orElse(targets);
    }

    private void run(
            CudaTensors device, AnchorLossInputs inputs, AnchorLossOptions options, AnchorLossTargets targets) {
        AnchorLossViews views =
                AnchorLossViews.of(inputs, tensor -> device.copyOf(tensor).view());
        Shape scratch = Shape.of(kernels.workspaceBytes(views));
        TensorView workspace = device.allocate(ElementType.UINT8, scratch).view();
        kernels.run(views, options, targets, DirectAnchorLoss.Launch.DEFAULT.withWorkspace(workspace));
    }
}
