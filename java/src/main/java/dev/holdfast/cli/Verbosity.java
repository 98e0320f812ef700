package dev.holdfast.cli;

/** How much is said on standard error besides errors. */
enum Verbosity {
    /** Nothing. */
    QUIET,
    /** Progress and warnings. */
    NORMAL,
    /** The log and stack traces as well. */
    VERBOSE
}
