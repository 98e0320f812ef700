package dev.holdfast.bench;

import dev.holdfast.loss.LinearAnchorLoss;
import dev.holdfast.loss.LinearGradients;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Measures the anchor loss fused with the LM head, each variant for itself. */
public final class LinearKernelBenchmark {
    private final int runs;
    private final double mostSeconds;
    private final int threads;
    private final double copyBytesPerSecond;

    /**
     * A benchmark of the native library.
     *
     * @param runs how many runs make a median, at least 1
     * @param mostSeconds after which no further run of a variant begins, once there are a few
     * @param threads at least 1
     * @param copyBytesPerSecond the machine's copy bandwidth
     */
    public LinearKernelBenchmark(int runs, double mostSeconds, int threads, double copyBytesPerSecond) {
        this.runs = runs;
        this.mostSeconds = mostSeconds;
        this.threads = threads;
        this.copyBytesPerSecond = copyBytesPerSecond;
    }

    /** Measures every variant on every backend; what cannot be computed is named with the reason. */
    public List<KernelResult> run(LinearKernelCase kernelCase, List<LinearAnchorLoss.Backend> backends) {
        NativeLibrary.load().setThreadCount(threads);
        List<KernelResult> results = new ArrayList<>();
        for (LinearAnchorLoss.Backend backend : backends) {
            for (LinearVariant variant : LinearVariant.values()) {
                Optional<String> absence = absence(kernelCase, backend, variant);
                results.add(
                        absence.isPresent()
                                ? absent(kernelCase, variant.implementation(), name(backend), absence.get())
                                : measure(kernelCase, backend, variant));
            }
        }
        return results;
    }

    private static Optional<String> absence(
            LinearKernelCase kernelCase, LinearAnchorLoss.Backend backend, LinearVariant variant) {
        boolean rounds = kernelCase.operandType() == ElementType.BFLOAT16 && backend == LinearAnchorLoss.Backend.CPU;
        if (rounds && !NativeLibrary.load().multipliesBfloat16()) {
            return Optional.of("this processor has neither AVX512_BF16 nor AMX");
        }
        return variant.absence(kernelCase.divergence(), kernelCase.interpolation());
    }

    private KernelResult measure(LinearKernelCase kernelCase, LinearAnchorLoss.Backend backend, LinearVariant variant) {
        LinearAnchorLoss loss = LinearAnchorLoss.create(backend, kernelCase.operandType());
        LinearInputs inputs = new LinearInputs(kernelCase, variant, loss);
        LinearGradients gradients = variant.trainsHead()
                ? LinearGradients.of(inputs.inputs().student())
                : LinearGradients.ofHidden(inputs.inputs().student());
        Runnable work = () -> loss.compute(inputs.inputs(), inputs.options(), gradients);
        Timing timing = Timing.of(runs, mostSeconds, run -> {}, run -> Timing.milliseconds(work));
        boolean threaded = backend == LinearAnchorLoss.Backend.CPU;
        return new KernelResult(
                variant.implementation(),
                name(backend),
                threaded ? NativeLibrary.load().instructionSet() : "scalar",
                threaded ? threads : 1,
                KernelBenchmark.name(kernelCase.operandType()),
                KernelBenchmark.lower(kernelCase.divergence()),
                KernelBenchmark.lower(kernelCase.interpolation()),
                kernelCase.rows(),
                kernelCase.hidden(),
                kernelCase.vocabulary(),
                timing.medianMillis(),
                timing.spreadMillis(),
                kernelCase.bytes(variant),
                kernelCase.operations(variant),
                kernelCase.bytes(variant) / (timing.medianMillis() / 1e3) / copyBytesPerSecond,
                timing.peakBytes(),
                null);
    }

    private static String name(LinearAnchorLoss.Backend backend) {
        return backend == LinearAnchorLoss.Backend.CPU ? "cpu" : "reference";
    }

    /** A result that says why there is none. */
    static KernelResult absent(LinearKernelCase kernelCase, String implementation, String backend, String reason) {
        return new KernelResult(
                implementation,
                backend,
                null,
                null,
                KernelBenchmark.name(kernelCase.operandType()),
                KernelBenchmark.lower(kernelCase.divergence()),
                KernelBenchmark.lower(kernelCase.interpolation()),
                kernelCase.rows(),
                kernelCase.hidden(),
                kernelCase.vocabulary(),
                null,
                null,
                null,
                null,
                null,
                null,
                reason);
    }
}
