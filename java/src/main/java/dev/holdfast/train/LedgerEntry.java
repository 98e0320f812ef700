package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How far an outer iteration moved the model, on response tokens held fixed through the run; a line of {@code ledger.jsonl}. All in nats,
 * means over tokens.
 *
 * <p>Where the inner problem is solved exactly, {@code klStep <= klBound}: KL(p_t ‖ q) ≤ α·KL(p_t ‖ p_ref) for both interpolations.
 * Source: arXiv 2605.04468.
 *
 * @param outerIteration from 1
 * @param step optimizer steps done
 * @param tokens response tokens measured
 * @param klStep KL(p_t ‖ p_{t+1}), snapshot against student
 * @param klBound α·KL(p_t ‖ p_ref)
 * @param ratio klStep / klBound; null where the bound is 0, as with α = 0
 * @param shareAboveBound share of tokens whose own step exceeds their own bound
 * @param klTotal KL(p_0 ‖ p_{t+1}), base against student
 * @param klTotalRetention the same on the response tokens of {@code data.retention}; null where there are no such rows
 * @param klToReference KL(p_{t+1} ‖ p_ref), student against reference
 */
public record LedgerEntry(
        @JsonProperty("outer_iteration") int outerIteration,
        int step,
        long tokens,
        @JsonProperty(LedgerEntry.KL_STEP) double klStep,
        @JsonProperty("kl_bound") double klBound,
        @JsonInclude(JsonInclude.Include.NON_NULL) Double ratio,
        @JsonProperty("share_above_bound") double shareAboveBound,
        @JsonProperty("kl_total") double klTotal,
        @JsonProperty("kl_total_retention") @JsonInclude(JsonInclude.Include.NON_NULL) Double klTotalRetention,
        @JsonProperty("kl_to_reference") double klToReference) {
    static final String KL_STEP = "kl_step";
}
