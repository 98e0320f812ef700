package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.TrainingConfig;

/**
 * What all parts of a run under way share.
 *
 * @param job settings, artifact and rows
 * @param directory the folder that the run fills
 * @param listener hears of everything, on the thread that trains
 * @param reporter keeps the run's report
 */
record RunContext(PreparedJob job, RunDirectory directory, TrainingListener listener, RunReporter reporter) {
    static RunContext of(PreparedJob job, RunDirectory directory, TrainingListener listener) {
        return new RunContext(job, directory, listener, new RunReporter(directory, listener));
    }

    Stopwatch stopwatch() {
        return reporter.stopwatch();
    }

    TrainingConfig config() {
        return job.config();
    }

    ArtifactDirectory artifact() {
        return job.artifact();
    }
}
