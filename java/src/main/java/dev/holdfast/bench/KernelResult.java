package dev.holdfast.bench;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What one implementation took for one case, or why there is no measurement.
 *
 * @param isa vector instructions or architecture, as far as the implementation tells
 * @param threads of the processor; absent if a device does the work
 * @param hidden the hidden size, if the loss is fused with the LM head; absent on given logits
 * @param medianMillis of the runs
 * @param spreadMillis between the first and the third quartile of the runs
 * @param bytes that any implementation has to move for the case; see {@link KernelCase#bytes()} and {@link LinearKernelCase#bytes}
 * @param flop see {@link KernelCase#operations()} and {@link LinearKernelCase#operations}
 * @param copyFraction bytes over the time, as a part of the copy bandwidth of the machine's or the device's memory
 * @param peakBytes the most bytes resident during a run beyond those before it, on a device all beside logits and gradient; absent where
 *     the system does not tell
 * @param absent why it was not measured
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record KernelResult(
        String implementation,
        String backend,
        String isa,
        Integer threads,
        String type,
        String divergence,
        String interpolation,
        int rows,
        Integer hidden,
        int vocabulary,
        @JsonProperty("median_ms") Double medianMillis,
        @JsonProperty("spread_ms") Double spreadMillis,
        Long bytes,
        Long flop,
        @JsonProperty("copy_fraction") Double copyFraction,
        @JsonProperty("peak_bytes") Long peakBytes,
        String absent) {
    /** The same on another backend. */
    KernelResult onBackend(String other) {
        return new KernelResult(
                implementation,
                other,
                isa,
                threads,
                type,
                divergence,
                interpolation,
                rows,
                hidden,
                vocabulary,
                medianMillis,
                spreadMillis,
                bytes,
                flop,
                copyFraction,
                peakBytes,
                absent);
    }

    /** Whether there is a measurement. */
    @JsonIgnore
    public boolean isMeasured() {
        return absent == null;
    }

    /** For example {@code 256 × 49152 fp32, forward_kl, logit}; with a head {@code 256 × 576 × 49152 fp32, forward_kl, logit}. */
    public String caseName() {
        String size = hidden == null ? rows + " × " : rows + " × " + hidden + " × ";
        return size + vocabulary + " " + type + ", " + divergence + ", " + interpolation;
    }
}
