package dev.holdfast.loss;

class CpuAnchorLossTest extends AnchorLossContract {
    private final AnchorLoss loss = AnchorLoss.create(AnchorLoss.Backend.CPU);

    @Override
    AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options) {
        return loss.compute(inputs, options);
    }

    @Override
    String refusal(AnchorLossInputs inputs, AnchorLossOptions options) {
        return messageOf(() -> compute(inputs, options));
    }
}
