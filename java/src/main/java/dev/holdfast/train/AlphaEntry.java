package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The weight of the reference that {@code kl_budget} chose for an outer iteration; a line of {@code alpha.jsonl}.
 *
 * @param step optimizer steps done when the iteration began
 * @param outerIteration from 1
 * @param alpha the weight, in (0, 1]
 * @param klSnapshotAnchor KL(p_t ‖ q) with it, at the loss's temperature, in nats, mean over the tokens
 * @param budget {@code kl_budget}, in nats
 * @param tokens response tokens of the training rows that it was solved on
 */
public record AlphaEntry(
        int step,
        @JsonProperty("outer_iteration") int outerIteration,
        double alpha,
        @JsonProperty("kl_snapshot_anchor") double klSnapshotAnchor,
        @JsonProperty("kl_budget") double budget,
        long tokens) {}
