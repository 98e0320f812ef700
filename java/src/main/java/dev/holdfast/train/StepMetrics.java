package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Map;

/**
 * What one optimizer step measured; a line of {@code metrics.jsonl}.
 *
 * @param step optimizer steps done, this one included
 * @param epoch passes over the rows done, with a fraction
 * @param outerIteration of an anchored run, from 1; null otherwise
 * @param loss mean over the response tokens of the global batch
 * @param tokenAccuracy share of response tokens that have the student's highest logit, in [0, 1]
 * @param gradientNorm Euclidean norm of all gradients before clipping
 * @param learningRate of this step
 * @param responseTokens of the global batch
 * @param tokensPerSecond tokens, prompts included and padding not, by the time of the step
 * @param peakMemoryBytes most memory that the process has held so far; 0 where the system does not tell
 * @param statistics means over the response tokens of the loss's statistics, in nats; empty for supervised fine-tuning
 * @param totalSteps of the run; not written
 */
@JsonPropertyOrder({
    "step",
    "epoch",
    "outer_iteration",
    "loss",
    "token_accuracy",
    "grad_norm",
    "learning_rate",
    "response_tokens",
    "tokens_per_second",
    "peak_memory_bytes"
})
@JsonInclude(JsonInclude.Include.NON_NULL)
public record StepMetrics(
        int step,
        double epoch,
        @JsonProperty("outer_iteration") Integer outerIteration,
        double loss,
        @JsonProperty("token_accuracy") double tokenAccuracy,
        @JsonProperty("grad_norm") double gradientNorm,
        @JsonProperty("learning_rate") double learningRate,
        @JsonProperty("response_tokens") long responseTokens,
        @JsonProperty("tokens_per_second") double tokensPerSecond,
        @JsonProperty("peak_memory_bytes") long peakMemoryBytes,
        @JsonAnyGetter Map<String, Double> statistics,
        @JsonIgnore int totalSteps) {
    /** α·KL(snapshot ‖ reference) among the statistics, which bounds KL(snapshot ‖ student) of an iteration solved exactly. */
    public static final String KL_BOUND = "kl_bound";
}
