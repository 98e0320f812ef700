package dev.holdfast.gradient;

/** What the table knows of an operator's derivative: each operator is in exactly one of three states. */
sealed interface Derivative {
    /** The operator can be differentiated. */
    record Known(GradientRule rule) implements Derivative {}

    /** The outputs do not depend smoothly on the inputs (shapes, comparisons, constants): nothing flows back. */
    record None() implements Derivative {}

    /**
     * The operator cannot be differentiated.
     *
     * @param hint what to do instead
     */
    record Refused(String hint) implements Derivative {}
}
