package dev.holdfast.loss;

class NativeReferenceAnchorLossTest extends AnchorLossContract {
    private final AnchorLoss loss = AnchorLoss.create(AnchorLoss.Backend.NATIVE_REFERENCE);

    @Override
    AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options) {
        return loss.compute(inputs, options);
    }

    @Override
    String refusal(AnchorLossInputs inputs, AnchorLossOptions options) {
        return messageOf(() -> compute(inputs, options));
    }
}
