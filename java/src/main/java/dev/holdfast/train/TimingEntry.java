package dev.holdfast.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What the time since the line before went into, in seconds; a line of {@code timing.jsonl}. A line with time for loading begins a session.
 *
 * @param step optimizer steps done
 * @param loading models and rows
 * @param training the steps
 * @param evaluation the loss on rows that are not trained on
 * @param drift the ledger, and the weight of the reference where a budget chooses it
 * @param checkpoints writing them
 */
record TimingEntry(
        int step,
        @JsonProperty("loading_seconds") double loading,
        @JsonProperty("training_seconds") double training,
        @JsonProperty("evaluation_seconds") double evaluation,
        @JsonProperty("drift_seconds") double drift,
        @JsonProperty("checkpoint_seconds") double checkpoints) {}
