package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.runtime.ProcessMemory;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** Measures the anchor loss alone on given logits: our own implementations, and one composed of ONNX Runtime's operators. */
public final class KernelBenchmark {
    private static final int LEAST_RUNS = 5;
    private static final double NANOS_PER_MILLI = 1e6;

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
        OptionalLong peak = warmUp(contender, inputs);
        List<Double> millis = new ArrayList<>();
        long begun = System.nanoTime();
        for (int run = 0; run < runs; run++) {
            if (run >= LEAST_RUNS && (System.nanoTime() - begun) / 1e9 > mostSeconds) {
                break;
            }
            inputs.refresh(run + 1);
            long started = System.nanoTime();
            contender.run(inputs.set(run + 1));
            millis.add((System.nanoTime() - started) / NANOS_PER_MILLI);
        }
        return result(kernelCase, contender, millis, peak);
    }

    /** One run that does not count, and the memory that it takes. */
    private static OptionalLong warmUp(KernelContender contender, KernelInputs inputs) {
        OptionalLong before = ProcessMemory.restartPeak();
        contender.run(inputs.set(0));
        return before.isPresent()
                ? OptionalLong.of(Math.max(0, ProcessMemory.peakBytes() - before.getAsLong()))
                : before;
    }

    private KernelResult result(
            KernelCase kernelCase, KernelContender contender, List<Double> millis, OptionalLong peak) {
        double median = Median.of(millis);
        return new KernelResult(
                contender.implementation(),
                contender.backend(),
                contender.instructionSet(),
                contender.threads(),
                name(kernelCase.type()),
                lower(kernelCase.divergence()),
                lower(kernelCase.interpolation()),
                kernelCase.rows(),
                kernelCase.vocabulary(),
                median,
                spread(millis),
                kernelCase.bytes(),
                kernelCase.operations(),
                kernelCase.bytes() / (median / 1e3) / copyBytesPerSecond,
                peak.isPresent() ? peak.getAsLong() : null,
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
                kernelCase.vocabulary(),
                null,
                null,
                null,
                null,
                null,
                null,
                reason);
    }

    /** The distance between the first and the third quartile. */
    private static double spread(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[3 * (sorted.length - 1) / 4] - sorted[(sorted.length - 1) / 4];
    }

    private static String lower(Enum<?> constant) {
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
