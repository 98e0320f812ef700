package dev.holdfast.eval.grading;

/** Knows what one question expects. Thread safety: graders may be asked from several threads. */
@FunctionalInterface
public interface Grader {
    /** What a response made of the question; any text is a response. */
    Verdict grade(String response);
}
