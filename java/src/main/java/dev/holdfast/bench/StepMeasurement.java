package dev.holdfast.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What a step costs.
 *
 * @param medianSeconds of the steps that count
 * @param minimumSeconds of the steps that count
 * @param gradientMedianSeconds of forward and backward alone; the optimizer takes the rest
 * @param steps how many count
 * @param openingPeakBytes the most bytes resident when the session had been opened
 * @param peakBytes the most bytes resident after the last step; 0 where the system does not tell
 * @param losses of every step, those before the ones that count included
 */
public record StepMeasurement(
        @JsonProperty("median_s") double medianSeconds,
        @JsonProperty("min_s") double minimumSeconds,
        @JsonProperty("gradient_median_s") double gradientMedianSeconds,
        int steps,
        @JsonProperty("opening_peak_rss_bytes") long openingPeakBytes,
        @JsonProperty("peak_rss_bytes") long peakBytes,
        List<Double> losses) {}
