package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Measures the anchor loss alone on given logits: our own implementations, and one composed of ONNX Runtime's operators. */
public final class KernelBenchmark {
    private final int runs;
    private final double mostSeconds;
    private final int threads;
    private final double copyBytesPerSecond;

    /**
     * Measures the machine's copy bandwidth.
     *
     * @param runs how many runs make a median, at least 1
     * @param mostSeconds after which no further run of an implementation begins, once there are a few
     * @param threads at least 1
     */
    public KernelBenchmark(int runs, double mostSeconds, int threads) {
        this.runs = runs;
        this.mostSeconds = mostSeconds;
        this.threads = threads;
        this.copyBytesPerSecond = CopyBandwidth.measure(threads);
    }

    /** Bytes that the machine reads and writes a second when it copies with these threads. */
    public double copyBytesPerSecond() {
        return copyBytesPerSecond;
    }

    /**
     * Measures our implementations.
     *
     * @param composed whether to measure ONNX Runtime's operators beside them
     */
    public List<KernelResult> run(KernelCase kernelCase, List<AnchorLoss.Backend> backends, boolean composed) {
        KernelInputs inputs = new KernelInputs(kernelCase, ProcessorCache.largestBytes());
        List<KernelResult> results = new ArrayList<>();
        for (AnchorLoss.Backend backend : backends) {
            try (KernelContender contender = new HoldfastContender(kernelCase, backend, threads)) {
                results.add(measure(kernelCase, contender, inputs));
            }
        }
        if (composed) {
            results.add(composed(kernelCase, inputs));
        }
        return results;
    }

    private KernelResult composed(KernelCase kernelCase, KernelInputs inputs) {
        if (!ComposedContender.supports(kernelCase.type())) {
            return absent(
                    kernelCase,
                    "onnxruntime-composed",
                    "ONNX Runtime's operators on the CPU have no kernels of " + name(kernelCase.type()));
        }
        try (KernelContender contender = new ComposedContender(kernelCase, threads)) {
            return measure(kernelCase, contender, inputs);
        }
    }

    private KernelResult measure(KernelCase kernelCase, KernelContender contender, KernelInputs inputs) {
        Timing timing = Timing.of(runs, mostSeconds, inputs::refresh, run -> contender.run(inputs.set(run)));
        return new KernelResult(
                contender.implementation(),
                contender.backend(),
                contender.instructionSet(),
                contender.threads(),
                name(kernelCase.type()),
                lower(kernelCase.divergence()),
                lower(kernelCase.interpolation()),
                kernelCase.rows(),
                null,
                kernelCase.vocabulary(),
                timing.medianMillis(),
                timing.spreadMillis(),
                kernelCase.bytes(),
                kernelCase.operations(),
                kernelCase.bytes() / (timing.medianMillis() / 1e3) / copyBytesPerSecond,
                timing.peakBytes(),
                null);
    }

    /** A result that says why there is none. */
    public static KernelResult absent(KernelCase kernelCase, String implementation, String reason) {
        return new KernelResult(
                implementation,
                "cpu",
                null,
                null,
                name(kernelCase.type()),
                lower(kernelCase.divergence()),
                lower(kernelCase.interpolation()),
                kernelCase.rows(),
                null,
                kernelCase.vocabulary(),
                null,
                null,
                null,
                null,
                null,
                null,
                reason);
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** The short name of a type of logits: {@code fp32}, {@code fp16} or {@code bf16}. */
    public static String name(ElementType type) {
        return switch (type) {
            case FLOAT -> "fp32";
            case FLOAT16 -> "fp16";
            case BFLOAT16 -> "bf16";
            default -> throw new IllegalArgumentException("type: expected FLOAT, FLOAT16 or BFLOAT16, got " + type);
        };
    }
}
