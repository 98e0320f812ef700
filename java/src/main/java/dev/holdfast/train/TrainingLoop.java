package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Batcher;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.runtime.ProcessMemory;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** The steps of a run in order, with what happens between them: snapshots, checkpoints, evaluation, ledger. */
final class TrainingLoop {
    /** Means that belong in the metrics of an anchored run. */
    private static final Set<LossStatistic> REPORTED =
            EnumSet.range(LossStatistic.KL_ANCHOR_STUDENT, LossStatistic.STUDENT_ENTROPY);

    private final TrainingConfig config;
    private final TrainingPlan plan;
    private final Schedule schedule;
    private final ArtifactDirectory artifact;
    private final RunDirectory run;
    private final Batcher batcher;
    private final StepRunner steps;
    private final Teachers teachers;
    private final Optional<TrainingData> heldOut;
    private final List<Batch> driftBatches;
    private final TrainingListener listener;
    private final BooleanSupplier stopRequested;
    private Optional<StepMetrics> last = Optional.empty();
    private TensorBoardFile events;

    TrainingLoop(
            TrainingPlan plan,
            ArtifactDirectory artifact,
            RunDirectory run,
            Batcher batcher,
            StepRunner steps,
            Teachers teachers,
            Optional<TrainingData> heldOut,
            List<Batch> driftBatches,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        this.config = plan.config();
        this.plan = plan;
        this.schedule = new Schedule(config, plan.steps());
        this.artifact = artifact;
        this.run = run;
        this.batcher = batcher;
        this.steps = steps;
        this.teachers = teachers;
        this.heldOut = heldOut;
        this.driftBatches = driftBatches;
        this.listener = listener;
        this.stopRequested = stopRequested;
    }

    TrainingOutcome run() {
        int done = plan.firstStep();
        measureIfDue(done);
        while (done < schedule.totalSteps() && !stopRequested.getAsBoolean()) {
            beginIteration(done);
            StepMetrics metrics = step(done);
            done++;
            last = Optional.of(metrics);
            record(run.metrics(), metrics);
            listener.stepped(metrics);
            afterStep(done);
        }
        if (done > plan.firstStep()) {
            saveCheckpoint(done);
        }
        return new TrainingOutcome(run.path(), run.latestCheckpoint(), done, done == schedule.totalSteps(), last);
    }

    private void record(JsonLinesFile file, Object line) {
        file.append(line);
        if (events == null) {
            events = TensorBoardFile.begin(run.path(), plan.firstStep() + 1);
        }
        events.append(line);
    }

    private void beginIteration(int done) {
        teachers.takeSnapshot(schedule.iterationStart(done));
        if (schedule.beginsIteration(done) && config.restartOptimizer()) {
            steps.restartOptimizer();
        }
    }

    private StepMetrics step(int done) {
        long start = System.nanoTime();
        double learningRate = schedule.learningRate(done);
        List<Batch> batch = batcher.globalBatch(schedule.epoch(done), schedule.batch(done));
        StepRunner.Result result = steps.step(batch, learningRate);
        requireFinite(done + 1, result, learningRate);
        double seconds = (System.nanoTime() - start) / 1e9;
        return metrics(done + 1, batch, result, learningRate, seconds);
    }

    /** A checkpoint of the weights that gave this loss is not called good, nor is it overwritten. */
    private void requireFinite(int step, StepRunner.Result result, double learningRate) {
        if (!Double.isFinite(result.loss()) || !Double.isFinite(result.gradientNorm())) {
            String checkpoint = run.latestCheckpointBefore(step - 1)
                    .map(Path::toString)
                    .orElse("none yet, the artifact " + artifact.path());
            throw new NonFiniteLossException("step " + step + ": loss is " + result.loss() + ", |g| is "
                    + result.gradientNorm() + " (learning_rate " + learningRate + "). Last good checkpoint: "
                    + checkpoint + "; try a lower learning rate");
        }
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
                result.statistics()[LossStatistic.LABEL_IS_ARGMAX.ordinal()] / responses,
                result.gradientNorm(),
                learningRate,
                responses,
                tokens / seconds,
                ProcessMemory.peakBytes(),
                anchored ? means(result.statistics(), responses) : Map.of(),
                schedule.totalSteps());
    }

    private static Map<String, Double> means(double[] sums, long count) {
        Map<String, Double> means = new LinkedHashMap<>();
        REPORTED.forEach(statistic -> means.put(statistic.key(), sums[statistic.ordinal()] / count));
        return means;
    }

    private void afterStep(int done) {
        boolean lastOfIteration = schedule.endsIteration(done);
        if (lastOfIteration && config.job() == Job.ANCHOR || config.saveSteps() > 0 && done % config.saveSteps() == 0) {
            saveCheckpoint(done);
        }
        measureIfDue(done);
    }

    /** Drift and evaluation; a resumed run makes up for what its process did not live to measure. */
    private void measureIfDue(int done) {
        measureDriftIfDue(done);
        boolean evaluationDue =
                config.evalSteps() > 0 && done % config.evalSteps() == 0 || done == schedule.totalSteps();
        if (evaluationDue && done > 0 && !run.evaluations().has(done, EvaluationMetrics.LOSS)) {
            heldOut.ifPresent(data -> evaluate(data, done));
        }
    }

    private void evaluate(TrainingData data, int done) {
        double[] sums = steps.evaluate(data.inOrder(data.rows()), LossInputs.supervised());
        long responses = data.summary().responseTokens();
        EvaluationMetrics metrics = new EvaluationMetrics(
                done,
                -sums[LossStatistic.LABEL_LOG_PROBABILITY.ordinal()] / responses,
                sums[LossStatistic.LABEL_IS_ARGMAX.ordinal()] / responses,
                responses);
        record(run.evaluations(), metrics);
        listener.evaluated(metrics);
    }

    private void saveCheckpoint(int done) {
        Path target = run.checkpoint(done);
        if (run.latestCheckpoint().equals(Optional.of(target))) {
            return;
        }
        RunCheckpoint.write(target, artifact, steps.port(), steps.optimizer(), config.learningRate());
        run.dropOldCheckpoints(config.saveTotalLimit(), teachers.snapshotFolder(schedule.iterationStart(done - 1)));
        listener.saved(target);
    }

    /** Where an iteration has just ended. */
    private void measureDriftIfDue(int done) {
        boolean due = config.job() == Job.ANCHOR
                && done > 0
                && schedule.endsIteration(done)
                && !run.ledger().has(done, LedgerEntry.KL_STEP);
        if (!due) {
            return;
        }
        int start = schedule.iterationStart(done - 1);
        try (FrozenModel student = teachers.openAt(done);
                FrozenModel before = teachers.openAt(start);
                FrozenModel base = teachers.openAt(0);
                DriftMeter meter = teachers.driftMeter(driftBatches)) {
            int iteration = schedule.iteration(done - 1) + 1;
            LedgerEntry entry =
                    meter.entry(iteration, done, config.alpha(), student, before, teachers.reference(), base);
            record(run.ledger(), entry);
            listener.measured(entry);
        }
    }
}
