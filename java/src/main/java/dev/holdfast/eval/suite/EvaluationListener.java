package dev.holdfast.eval.suite;

/** Hears how an evaluation goes on. Called on the evaluating thread. */
public interface EvaluationListener {
    /** A suite begins. */
    default void begins(SuiteName suite, int items) {}

    /** An item has been graded; rows of {@code perplexity} have no verdict. */
    default void graded(SuiteName suite, int done, int items) {}

    /** A suite has ended. */
    default void ends(SuiteName suite, SuiteScore score) {}

    /** Something that changes what the scores mean. */
    default void warns(String warning) {}
}
