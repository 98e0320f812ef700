package dev.holdfast.loss;

class NativeReferenceLinearAnchorLossTest extends NativeLinearAnchorLossContract {
    NativeReferenceLinearAnchorLossTest() {
        super(LinearAnchorLoss.Backend.NATIVE_REFERENCE);
    }
}
