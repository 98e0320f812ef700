package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The loss on held-out rows; a line of {@code eval.jsonl}.
 *
 * @param step optimizer steps done
 * @param evalLoss mean cross-entropy of the response tokens, in nats, whatever the run minimises
 * @param evalTokenAccuracy share of response tokens that have the highest logit, in [0, 1]
 * @param evalResponseTokens response tokens evaluated
 */
public record EvaluationMetrics(
        int step,
        @JsonProperty(EvaluationMetrics.LOSS) double evalLoss,
        @JsonProperty("eval_token_accuracy") double evalTokenAccuracy,
        @JsonProperty("eval_response_tokens") long evalResponseTokens) {
    static final String LOSS = "eval_loss";
}
