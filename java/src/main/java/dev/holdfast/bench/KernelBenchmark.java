package dev.holdfast.bench;

import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.natives.CudaLibrary;
import dev.holdfast.tensor.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** Measures the anchor loss alone on given logits: our own implementations, and one composed of ONNX Runtime's operators. */
public final class KernelBenchmark {
    private final int runs;
    private final double mostSeconds;
    private final int threads;
    private final double copyBytesPerSecond;
    private double cudaCopyBytesPerSecond;

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
     * Bytes that the current CUDA device reads and writes a second when it copies its memory; measured when first asked for.
     *
     * @throws RuntimeFailureException if there is no device, or no kernels for it
     */
    public double cudaCopyBytesPerSecond() {
        if (cudaCopyBytesPerSecond == 0) {
            cudaCopyBytesPerSecond = CudaCopyBandwidth.measure();
        }
        return cudaCopyBytesPerSecond;
    }

    /**
     * Whether our implementation on a backend can run here.
     *
     * @throws RuntimeFailureException if not; the message says why and what to do
     */
    public static void requireRunnable(AnchorLoss.Backend backend) {
        if (backend == AnchorLoss.Backend.CUDA) {
            CudaLibrary.load().device();
        }
    }

    /**
     * Measures our implementations; one that cannot run is named with the reason.
     *
     * @param composed whether to measure ONNX Runtime's operators beside them
     */
    public List<KernelResult> run(KernelCase kernelCase, List<AnchorLoss.Backend> backends, boolean composed) {
        KernelInputs inputs = new KernelInputs(kernelCase, ProcessorCache.largestBytes());
        List<KernelResult> results = new ArrayList<>();
        for (AnchorLoss.Backend backend : backends) {
            results.add(backend == AnchorLoss.Backend.CUDA ? cuda(kernelCase) : host(kernelCase, backend, inputs));
        }
        if (composed) {
            results.add(composed(kernelCase, inputs));
        }
        return results;
    }

    private KernelResult host(KernelCase kernelCase, AnchorLoss.Backend backend, KernelInputs inputs) {
        try (KernelContender contender = new HoldfastContender(kernelCase, backend, inputs, threads)) {
            return measure(kernelCase, contender, copyBytesPerSecond);
        }
    }

    private KernelResult cuda(KernelCase kernelCase) {
        try {
            requireRunnable(AnchorLoss.Backend.CUDA);
            double copyRate = cudaCopyBytesPerSecond();
            try (KernelContender contender = new CudaContender(kernelCase)) {
                return measure(kernelCase, contender, copyRate);
            }
        } catch (RuntimeFailureException e) {
            return absent(kernelCase, "holdfast", e.getMessage()).onBackend(CudaContender.BACKEND);
        }
    }

    private KernelResult composed(KernelCase kernelCase, KernelInputs inputs) {
        if (!ComposedContender.supports(kernelCase.type())) {
            return absent(
                    kernelCase,
                    "onnxruntime-composed",
                    "ONNX Runtime's operators on the CPU have no kernels of " + name(kernelCase.type()));
        }
        try (KernelContender contender = new ComposedContender(kernelCase, inputs, threads)) {
            return measure(kernelCase, contender, copyBytesPerSecond);
        }
    }

    private KernelResult measure(KernelCase kernelCase, KernelContender contender, double copyRate) {
        Timing timing = Timing.of(runs, mostSeconds, contender::prepare, contender::milliseconds);
        OptionalLong extra = contender.extraBytes();
        return new KernelResult(
                contender.implementation(),
                contender.backend(),
                contender.instructionSet(),
                contender.threads().isPresent() ? contender.threads().getAsInt() : null,
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
                kernelCase.bytes() / (timing.medianMillis() / 1e3) / copyRate,
                extra.isPresent() ? Long.valueOf(extra.getAsLong()) : timing.peakBytes(),
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
