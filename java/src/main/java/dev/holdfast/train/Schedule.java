package dev.holdfast.train;

import dev.holdfast.config.LearningRateSchedule;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;

/**
 * Where a step stands: its epoch and batch, its outer iteration, its learning rate. All follow from the number of steps done, so that a
 * resumed run needs nothing else.
 */
final class Schedule {
    private final TrainingConfig config;
    private final TrainingSteps steps;

    Schedule(TrainingConfig config, TrainingSteps steps) {
        this.config = config;
        this.steps = steps;
    }

    int totalSteps() {
        return steps.total();
    }

    /** The epoch of the step after {@code done} steps, from 0; it decides the order of the rows. */
    long epoch(int done) {
        return done / steps.perEpoch();
    }

    /** The global batch within the epoch, from 0. */
    int batch(int done) {
        return done % steps.perEpoch();
    }

    /** The outer iteration, from 0. */
    int iteration(int done) {
        return done / steps.perIteration();
    }

    boolean beginsIteration(int done) {
        return done % steps.perIteration() == 0;
    }

    boolean endsIteration(int done) {
        return done == steps.total() || beginsIteration(done);
    }

    /** Steps done before the iteration that the step after {@code done} steps belongs to. */
    int iterationStart(int done) {
        return done - done % steps.perIteration();
    }

    double learningRate(int done) {
        if (!config.restartOptimizer()) {
            return LearningRateSchedule.of(config, steps.total()).at(done);
        }
        int start = iterationStart(done);
        int length = Math.min(steps.perIteration(), steps.total() - start);
        return LearningRateSchedule.of(config, length).at(done - start);
    }

    /** Passes over the rows after {@code done} steps, with a fraction. */
    double epochsDone(int done) {
        return (double) done / steps.perEpoch();
    }
}
