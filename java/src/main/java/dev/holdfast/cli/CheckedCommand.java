package dev.holdfast.cli;

/** A command that can say what is wrong with its flags before it does anything. */
interface CheckedCommand {
    /** Notes every problem of the flags; those that could not be read at all have their defaults. */
    void check(FlagProblems problems);
}
