package dev.holdfast.cli;

import dev.holdfast.eval.suite.EvaluationListener;
import dev.holdfast.eval.suite.SuiteName;
import dev.holdfast.eval.suite.SuiteScore;

/** Shows how an evaluation goes on. */
final class EvaluationConsole implements EvaluationListener, AutoCloseable {
    /** Plain lines for a suite, about. */
    private static final int LINES = 10;

    private final Console console;
    private Progress progress;

    EvaluationConsole(Console console) {
        this.console = console;
        this.progress = Progress.none();
    }

    @Override
    public void begins(SuiteName suite, int items) {
        progress = Progress.start(console, suite.id(), items, Math.max(1, items / LINES));
    }

    @Override
    public void graded(SuiteName suite, int done, int items) {
        progress.update(done, () -> "");
    }

    @Override
    public void ends(SuiteName suite, SuiteScore score) {
        close();
        tell(score.missing(), "without a response in the file, left out", suite);
        tell(score.cut(), "cut at the limit of tokens (--max_new_tokens)", suite);
        tell(score.tooLong(), "too long for the model's context, counted as wrong", suite);
    }

    private void tell(long count, String what, SuiteName suite) {
        if (count > 0) {
            console.say(suite.id() + ": " + count + (count == 1 ? " question " : " questions ") + what);
        }
    }

    @Override
    public void warns(String warning) {
        console.say("warning: " + warning);
    }

    @Override
    public void close() {
        progress.close();
        progress = Progress.none();
    }
}
