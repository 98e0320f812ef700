package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.natives.NativeLibrary;
import java.util.Locale;
import java.util.Optional;

/** Our own loss on one of its backends, statistics included. */
final class HoldfastContender implements KernelContender {
    private final AnchorLoss.Backend backend;
    private final AnchorLoss loss;
    private final AnchorLossOptions options;
    private final int threads;

    HoldfastContender(KernelCase kernelCase, AnchorLoss.Backend backend, int threads) {
        this.backend = backend;
        this.loss = AnchorLoss.create(backend);
        this.options = new AnchorLossOptions(
                kernelCase.divergence(), kernelCase.interpolation(), LabelWeighting.NONE, 1, 1, 0, KernelCase.BETA);
        this.threads = backend == AnchorLoss.Backend.JAVA ? 1 : threads;
        NativeLibrary.load().setThreadCount(threads);
    }

    @Override
    public String implementation() {
        return "holdfast";
    }

    @Override
    public String backend() {
        return backend == AnchorLoss.Backend.NATIVE_REFERENCE
                ? "reference"
                : backend.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String instructionSet() {
        return backend == AnchorLoss.Backend.CPU ? NativeLibrary.load().instructionSet() : "scalar";
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public void run(AnchorLossInputs inputs) {
        loss.compute(inputs, options, Optional.of(inputs.student()));
    }

    @Override
    public void close() {}
}
