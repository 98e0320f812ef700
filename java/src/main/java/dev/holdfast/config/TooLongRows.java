package dev.holdfast.config;

/** What happens to rows with more tokens than max_length. */
public enum TooLongRows {
    /** Cut at max_length. */
    CUT,
    /** Left out. */
    DROP
}
