package dev.holdfast.loss;

import dev.holdfast.natives.AnchorLossKernel;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.Optional;

/** The kernels of the native library. */
final class NativeAnchorLoss implements AnchorLoss {
    private final AnchorLossKernel.Backend backend;

    NativeAnchorLoss(AnchorLossKernel.Backend backend) {
        this.backend = backend;
    }

    @Override
    public AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient) {
        AnchorLoss.requireComputable(inputs, gradient);
        int tokens = inputs.tokenCount();
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens));
        HostTensor statistics = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens, LossStatistic.COUNT));
        AnchorLossKernel.run(
                backend,
                tokens,
                codes(options),
                logits(inputs.student()),
                inputs.snapshot().map(NativeAnchorLoss::logits),
                inputs.reference().map(NativeAnchorLoss::logits),
                new AnchorLossKernel.Tokens(
                        inputs.labels().bytes(),
                        inputs.weights().bytes(),
                        inputs.alphas().map(HostTensor::bytes)),
                new AnchorLossKernel.Outputs(
                        tokenLoss.bytes(), statistics.bytes(), gradient.map(NativeAnchorLoss::logits)));
        return AnchorLossResult.of(inputs, tokenLoss, statistics, gradient);
    }

    private static AnchorLossKernel.Logits logits(HostTensor tensor) {
        return new AnchorLossKernel.Logits(
                tensor.bytes(),
                tensor.shape().dimension(1),
                tensor.elementType().onnxCode());
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
