package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonUnwrapped;

/**
 * How far training has moved the model, on response tokens held fixed through the run; a line of {@code ledger.jsonl}. All in nats, means
 * over tokens; a reverse is the same divergence with its sides exchanged.
 *
 * @param step optimizer steps done
 * @param tokens response tokens measured
 * @param iteration of an anchored run, how far the outer iteration has come; null for supervised fine-tuning
 * @param klTotal KL(p_0 ‖ p), base against student
 * @param klTotalReverse KL(p ‖ p_0)
 * @param klTotalRetention klTotal on the response tokens of {@code data.retention}; null where there are no such rows
 * @param klTotalRetentionReverse klTotalReverse on them; null where there are none
 */
@JsonPropertyOrder({"step", "outer_iteration"})
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LedgerEntry(
        int step,
        long tokens,
        @JsonUnwrapped IterationDrift iteration,
        @JsonProperty(LedgerEntry.KL_TOTAL) double klTotal,
        @JsonProperty("kl_total_reverse") double klTotalReverse,
        @JsonProperty(LedgerEntry.KL_TOTAL_RETENTION) Double klTotalRetention,
        @JsonProperty("kl_total_retention_reverse") Double klTotalRetentionReverse) {
    static final String KL_TOTAL = "kl_total";
    static final String KL_TOTAL_RETENTION = "kl_total_retention";

    static LedgerEntry of(
            int step, long tokens, IterationDrift iteration, Divergences target, Divergences retentionOrNull) {
        return new LedgerEntry(
                step,
                tokens,
                iteration,
                target.forward(),
                target.reverse(),
                retentionOrNull == null ? null : retentionOrNull.forward(),
                retentionOrNull == null ? null : retentionOrNull.reverse());
    }
}
