package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.natives.NativeLibrary;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Our own loss on one of the backends of the host, statistics included. */
final class HoldfastContender extends HostContender {
    private final AnchorLoss.Backend backend;
    private final AnchorLoss loss;
    private final AnchorLossOptions options;
    private final int threads;

    HoldfastContender(KernelCase kernelCase, AnchorLoss.Backend backend, KernelInputs inputs, int threads) {
        super(inputs);
        this.backend = backend;
        this.loss = AnchorLoss.create(backend);
        this.options = options(kernelCase);
        this.threads = backend == AnchorLoss.Backend.JAVA ? 1 : threads;
        NativeLibrary.load().setThreadCount(threads);
    }

    static AnchorLossOptions options(KernelCase kernelCase) {
        return new AnchorLossOptions(
                kernelCase.divergence(), kernelCase.interpolation(), LabelWeighting.NONE, 1, 1, 0, KernelCase.BETA);
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
    public OptionalInt threads() {
        return OptionalInt.of(threads);
    }

    @Override
    void run(AnchorLossInputs inputs) {
        loss.compute(inputs, options, Optional.of(inputs.student()));
    }

    @Override
    public void close() {}
}
