package dev.holdfast.loss;

import dev.holdfast.testing.EmulatedCuda;
import org.junit.jupiter.api.BeforeAll;

/** The CUDA kernels on an emulated device, with tensors of the host. */
class CudaAnchorLossTest extends AnchorLossContract {
    private final AnchorLoss loss = AnchorLoss.create(AnchorLoss.Backend.CUDA);

    @BeforeAll
    static void openEmulatedLibrary() {
        EmulatedCuda.open();
    }

    @Override
    AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options) {
        return loss.compute(inputs, options);
    }

    @Override
    String refusal(AnchorLossInputs inputs, AnchorLossOptions options) {
        return messageOf(() -> compute(inputs, options));
    }
}
