package dev.holdfast.loss;

import dev.holdfast.natives.NativeMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import java.lang.ref.Reference;
import java.util.Optional;

/** The kernels that work on the host's memory where it lies. */
final class NativeAnchorLoss implements AnchorLoss {
    private final DirectAnchorLoss kernels;

    NativeAnchorLoss(Backend backend) {
        this.kernels = DirectAnchorLoss.create(backend);
    }

    @Override
    public AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient) {
        AnchorLoss.requireComputable(inputs, gradient);
        int tokens = inputs.tokenCount();
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens));
        HostTensor statistics = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens, LossStatistic.COUNT));
        AnchorLossTargets targets =
                AnchorLossTargets.NONE.withTokenLoss(view(tokenLoss)).withStatistics(view(statistics));
        kernels.run(
                AnchorLossViews.of(inputs, NativeAnchorLoss::view),
                options,
                gradient.map(tensor -> targets.withGradient(view(tensor), GradientMode.OVERWRITE))
                        .orElse(targets),
                DirectAnchorLoss.Launch.DEFAULT);
        Reference.reachabilityFence(inputs);
        return AnchorLossResult.of(inputs, tokenLoss, statistics, gradient);
    }

    private static TensorView view(HostTensor tensor) {
        return TensorView.host(NativeMemory.address(tensor.bytes()), tensor.elementType(), tensor.shape());
    }
}
