package dev.holdfast.eval.grading;

import java.util.Optional;

/**
 * A function to write in Python.
 *
 * @param start code that the response continues, or may repeat; empty where the response is the whole program
 * @param entryPoint the name of the function
 * @param tests code that raises an error where the function is wrong
 * @param comparison further inputs on which it is compared with a reference, if there are any
 */
public record CodeProblem(String start, String entryPoint, String tests, Optional<Comparison> comparison) {
    /**
     * Inputs of a function, and a reference for what it should return.
     *
     * @param reference a program that defines the function as well
     * @param inputs JSON: a list of lists of arguments
     * @param tolerance how far numbers may be off; 0 where they must be equal up to rounding
     */
    public record Comparison(String reference, String inputs, double tolerance) {}
}
