package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The loss on rows of what the model should not forget; a line of {@code retention.jsonl}.
 *
 * @param step optimizer steps done
 * @param retentionLoss mean cross-entropy of the response tokens, in nats, whatever the run minimises
 * @param retentionTokenAccuracy share of response tokens that have the highest logit, in [0, 1]
 * @param retentionResponseTokens response tokens evaluated
 */
public record RetentionMetrics(
        int step,
        @JsonProperty(RetentionMetrics.LOSS) double retentionLoss,
        @JsonProperty("retention_token_accuracy") double retentionTokenAccuracy,
        @JsonProperty("retention_response_tokens") long retentionResponseTokens) {
    static final String LOSS = "retention_loss";
}
