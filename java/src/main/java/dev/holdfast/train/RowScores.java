package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How a model does on rows.
 *
 * @param loss mean cross-entropy of the response tokens, in nats
 * @param exactRows share of rows whose whole response the model would give greedily, in [0, 1]
 * @param klFromBase KL(base ‖ model), mean over the response tokens, in nats
 * @param tokens response tokens
 * @param rows rows
 */
public record RowScores(
        double loss,
        @JsonProperty("exact_rows") double exactRows,
        @JsonProperty("kl_from_base") double klFromBase,
        long tokens,
        long rows) {}
