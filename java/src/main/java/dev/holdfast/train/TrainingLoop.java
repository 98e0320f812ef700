package dev.holdfast.train;

import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Batcher;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.runtime.ProcessMemory;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** The steps of a run in order, with what happens between them: snapshots, checkpoints, measurements. */
final class TrainingLoop {
    /** Means that belong in the metrics of an anchored run. */
    private static final Set<LossStatistic> REPORTED =
            EnumSet.range(LossStatistic.KL_ANCHOR_STUDENT, LossStatistic.STUDENT_ENTROPY);

    private final RunContext context;
    private final TrainingConfig config;
    private final RunDirectory directory;
    private final int firstStep;
    private final Schedule schedule;
    private final Student student;
    private final Teachers teachers;
    private final Batcher batcher;
    private final StepRunner steps;
    private final RunLog log;
    private final CheckpointKeeper checkpoints;
    private final AnchorWeights weights;
    private final Measurements measurements;
    private Optional<StepMetrics> last = Optional.empty();
    private Optional<BudgetBreach> breach = Optional.empty();

    TrainingLoop(RunContext context, TrainingPlan plan, Student student, Teachers teachers) {
        this.context = context;
        this.config = context.config();
        this.directory = context.directory();
        this.firstStep = plan.firstStep();
        this.schedule = context.job().schedule();
        this.student = student;
        this.teachers = teachers;
        this.batcher = context.job().rows().train().batcher();
        this.steps = new StepRunner(config, student, teachers);
        this.log = new RunLog(directory, firstStep);
        this.checkpoints = new CheckpointKeeper(context, schedule, student);
        this.weights = new AnchorWeights(context, schedule, log, teachers);
        this.measurements = new Measurements(context, schedule, log, steps, teachers, weights, checkpoints);
    }

    /**
     * Makes the steps that are left, or those up to the first measurement of too much drift.
     *
     * @param stopRequested asked before every step; once it is true the run ends with a checkpoint
     */
    TrainingOutcome run(BooleanSupplier stopRequested) {
        int done = firstStep;
        context.reporter().loaded();
        measure(done);
        while (done < schedule.totalSteps()
                && breach.isEmpty()
                && !stopRequested.getAsBoolean()
                && beginIteration(done, stopRequested)) {
            StepMetrics metrics = step(done);
            done++;
            last = Optional.of(metrics);
            log.step(metrics);
            context.reporter().stepped(done);
            context.listener().stepped(metrics);
            boolean saved = checkpoints.saveIfDue(done);
            if (measure(done) || saved) {
                context.reporter().refresh();
            }
        }
        boolean finished = done == schedule.totalSteps() && breach.isEmpty();
        if (finished) {
            teachers.dismissSnapshot();
        }
        end(done);
        return new TrainingOutcome(directory.path(), directory.latestCheckpoint(), done, finished, breach, last);
    }

    private boolean measure(int done) {
        boolean measured = measurements.measureIfDue(done);
        // An earlier session may have measured what this one begins with.
        if (measured || done == firstStep) {
            checkpoints.keep(measurements.lastWithinBudget(done));
            breach = measurements.breach(done);
        }
        return measured;
    }

    private void end(int done) {
        if (breach.isPresent()) {
            checkpoints.returnWithinBudget();
        } else if (done > 0) {
            measurements.prove(done);
            checkpoints.save(done);
            checkpoints.proven(done);
        }
    }

    /** Whether a step can follow; false if it was asked to stop while the teachers were made ready. */
    private boolean beginIteration(int done, BooleanSupplier stopRequested) {
        if (!teachers.prepare(schedule.iterationStart(done), stopRequested)) {
            return false;
        }
        teachers.mix(weights.at(done));
        if (schedule.beginsIteration(done) && config.restartOptimizer()) {
            student.restartOptimizer();
        }
        return true;
    }

    private StepMetrics step(int done) {
        long start = System.nanoTime();
        double learningRate = schedule.learningRate(done);
        List<Batch> batch = batcher.globalBatch(schedule.epoch(done), schedule.batch(done));
        StepRunner.Result result = steps.step(done, batch, learningRate);
        requireFinite(done, result, learningRate);
        double seconds = (System.nanoTime() - start) / 1e9;
        return metrics(done + 1, batch, result, learningRate, seconds);
    }

    private void requireFinite(int done, StepRunner.Result result, double learningRate) {
        if (!result.isFinite()) {
            throw checkpoints.bad(
                    done,
                    String.format(
                            Locale.ROOT,
                            "step %d: loss is %.4g, |g| is %.4g (learning_rate %.2g)",
                            done + 1,
                            result.loss(),
                            result.gradientNorm(),
                            learningRate));
        }
        checkpoints.proven(done);
    }

    private StepMetrics metrics(
            int step, List<Batch> batch, StepRunner.Result result, double learningRate, double seconds) {
        long responses = batch.get(0).globalResponseTokens();
        long tokens = batch.stream().mapToLong(Batch::tokens).sum();
        boolean anchored = config.job() == Job.ANCHOR;
        return new StepMetrics(
                step,
                schedule.epochsDone(step),
                anchored ? schedule.iteration(step - 1) + 1 : null,
                result.loss(),
                result.statistics()[LossStatistic.LABEL_IS_ARGMAX.column()] / responses,
                result.gradientNorm(),
                learningRate,
                responses,
                tokens / seconds,
                ProcessMemory.peakBytes(),
                anchored ? means(result.statistics(), responses, teachers.alpha()) : Map.of(),
                schedule.totalSteps());
    }

    private static Map<String, Double> means(double[] sums, long count, double alpha) {
        Map<String, Double> means = new LinkedHashMap<>();
        REPORTED.forEach(statistic -> means.put(statistic.key(), sums[statistic.column()] / count));
        means.put(StepMetrics.KL_BOUND, alpha * sums[LossStatistic.KL_SNAPSHOT_REFERENCE.column()] / count);
        return means;
    }
}
