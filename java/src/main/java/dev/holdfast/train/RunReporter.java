package dev.holdfast.train;

import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.report.Report;
import dev.holdfast.report.RunStatus;
import java.nio.file.Files;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Keeps what a run says of itself up to date: its state, what its time went into, and the page that shows all of it. */
final class RunReporter {
    private final RunDirectory directory;
    private final TrainingListener listener;
    private final Stopwatch stopwatch = new Stopwatch();
    private final Set<String> warnings = new LinkedHashSet<>();
    private TrainingPlan plan;
    private int done;

    RunReporter(RunDirectory directory, TrainingListener listener) {
        this.directory = directory;
        this.listener = listener;
    }

    Stopwatch stopwatch() {
        return stopwatch;
    }

    /** Tells the listener, and the report from now on. */
    void warn(String problem) {
        warnings.add(problem);
        listener.warned(problem);
    }

    /** The plan is made; what earlier sessions warned of still holds. */
    void planned(TrainingPlan next) {
        plan = next;
        done = next.firstStep();
        warnings.addAll(next.data().warnings());
        RunFolder files = directory.files();
        if (Files.exists(files.status())) {
            try {
                warnings.addAll(JsonFiles.read(files.status(), RunStatus.class).warnings());
            } catch (HoldfastException e) {
                warn(e.getMessage() + ". The warnings of earlier sessions are missing from the report");
            }
        }
    }

    /** The models are loaded and the steps begin. */
    void loaded() {
        stopwatch.turnTo(Stopwatch.Activity.TRAINING);
        directory.timing().append(stopwatch.take(done));
    }

    /** A step is done. */
    void stepped(int step) {
        done = step;
    }

    /** There is something new to show. */
    void refresh() {
        write(RunStatus.State.RUNNING, null);
    }

    /** The session has ended as it should. */
    void ended(TrainingOutcome outcome) {
        done = outcome.step();
        write(
                stateOf(outcome),
                outcome.breach().map(breach -> describe(breach, outcome)).orElse(null));
    }

    private static String describe(BudgetBreach breach, TrainingOutcome outcome) {
        String within =
                outcome.checkpoint().map(path -> path.getFileName().toString()).orElse("the base");
        return breach.describe() + ", which is the model that this page ends with; the last one within is " + within;
    }

    private static RunStatus.State stateOf(TrainingOutcome outcome) {
        if (outcome.breach().isPresent()) {
            return RunStatus.State.OVER_BUDGET;
        }
        return outcome.finished() ? RunStatus.State.FINISHED : RunStatus.State.INTERRUPTED;
    }

    /** The session ends by a failure, which counts more than one of the report. */
    void failed(RuntimeException failure) {
        try {
            write(RunStatus.State.FAILED, String.valueOf(failure.getMessage()));
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    private void write(RunStatus.State state, String problem) {
        if (plan == null) {
            return;
        }
        directory.timing().append(stopwatch.take(done));
        JsonFiles.write(directory.files().status(), status(state, problem));
        try {
            Report.write(directory.path());
        } catch (HoldfastException e) {
            // Such as of lines that somebody has edited: the run can do without a page, and the command makes it again.
            listener.warned("no report: " + e.getMessage());
        }
    }

    private RunStatus status(RunStatus.State state, String problem) {
        DataSummary data = plan.data();
        return new RunStatus(
                state,
                done,
                plan.steps().total(),
                problem,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                new RunStatus.Model(plan.model().name(), plan.model().family(), plan.parameterCount()),
                new RunStatus.Rows(data.rows(), data.tokens(), data.responseTokens()),
                List.copyOf(warnings));
    }
}
