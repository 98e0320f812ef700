package dev.holdfast.config;

/** Whether hidden states of snapshot and reference are kept on disk. */
public enum CacheMode {
    /** Where a row is visited more than once. */
    AUTO,
    /** Even where each row is visited once. */
    ALWAYS,
    /** Both models run for every batch. */
    NEVER
}
