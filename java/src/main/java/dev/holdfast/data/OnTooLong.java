package dev.holdfast.data;

/** What becomes of a row with more tokens than the limit. */
public enum OnTooLong {
    /** It loses the tokens at its end. */
    CUT,
    /** It is left out. */
    DROP
}
