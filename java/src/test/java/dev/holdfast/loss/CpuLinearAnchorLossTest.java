package dev.holdfast.loss;

class CpuLinearAnchorLossTest extends NativeLinearAnchorLossContract {
    CpuLinearAnchorLossTest() {
        super(LinearAnchorLoss.Backend.CPU);
    }
}
