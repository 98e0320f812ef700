package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossInputs;

/** An implementation that computes in this thread on tensors of the host. */
abstract class HostContender implements KernelContender {
    private final KernelInputs inputs;

    HostContender(KernelInputs inputs) {
        this.inputs = inputs;
    }

    /** Computes loss and gradient. */
    abstract void run(AnchorLossInputs tokens);

    @Override
    public final void prepare(int run) {
        inputs.refresh(run);
    }

    @Override
    public final double milliseconds(int run) {
        AnchorLossInputs tokens = inputs.set(run);
        return Timing.milliseconds(() -> run(tokens));
    }
}
