package dev.holdfast.train;

import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LossStatistic;
import java.util.List;
import java.util.Optional;

/** What is measured between steps: rows that are not trained on now and then, drift where an iteration ends. */
final class Measurements {
    private final RunContext context;
    private final TrainingConfig config;
    private final Schedule schedule;
    private final RunLog log;
    private final StepRunner steps;
    private final Teachers teachers;
    private final CheckpointKeeper checkpoints;

    Measurements(
            RunContext context,
            Schedule schedule,
            RunLog log,
            StepRunner steps,
            Teachers teachers,
            CheckpointKeeper checkpoints) {
        this.context = context;
        this.config = context.config();
        this.schedule = schedule;
        this.log = log;
        this.steps = steps;
        this.teachers = teachers;
        this.checkpoints = checkpoints;
    }

    /**
     * Measures what is due after so many steps; a resumed run makes up for what its process did not live to measure.
     *
     * @throws dev.holdfast.error.NonFiniteLossException if the weights give something that is not a finite number
     */
    void measureIfDue(int done) {
        if (done == 0) {
            return;
        }
        if (driftIsDue(done)) {
            measureDrift(done);
        }
        if (evaluationIsDue(done)) {
            TrainingRows rows = context.job().rows();
            rows.heldOut().filter(data -> !log.hasEvaluation(done)).ifPresent(data -> evaluate(data, done));
            rows.retention().filter(data -> !log.hasRetention(done)).ifPresent(data -> evaluateRetention(data, done));
        }
    }

    private boolean driftIsDue(int done) {
        return config.job() == Job.ANCHOR && schedule.endsIteration(done) && !log.hasDrift(done);
    }

    private boolean evaluationIsDue(int done) {
        return config.evalSteps() > 0 && done % config.evalSteps() == 0 || done == schedule.totalSteps();
    }

    private void measureDrift(int done) {
        List<Batch> rows = context.job().rows().driftBatches();
        Optional<List<Batch>> retention = context.job().rows().retentionDriftBatches();
        began(
                "measuring drift",
                rowsOf(rows) + retention.map(Measurements::rowsOf).orElse(0));
        try (Teachers.Loan student = teachers.lend(done);
                Teachers.Loan before = teachers.lend(schedule.iterationStart(done - 1));
                Teachers.Loan base = teachers.lend(0);
                Teachers.Loan reference = teachers.lendReference();
                DriftMeter meter = teachers.driftMeter(rows)) {
            int iteration = schedule.iteration(done - 1) + 1;
            LedgerEntry entry = meter.entry(
                    iteration,
                    done,
                    config.alpha(),
                    student.model(),
                    before.model(),
                    reference.model(),
                    base.model(),
                    retentionDrift(retention, student.model(), base.model()));
            requireFinite(done, "KL(step)", entry.klStep());
            requireFinite(done, "KL from the base", entry.klTotal());
            log.drift(entry);
            context.listener().measured(entry);
        }
    }

    /** Drift from the base on rows of what should be kept; null where there are none. */
    private Double retentionDrift(Optional<List<Batch>> batches, FrozenModel student, FrozenModel base) {
        if (batches.isEmpty()) {
            return null;
        }
        try (DriftMeter meter = teachers.driftMeter(batches.get())) {
            return meter.klTotal(student, base);
        }
    }

    private static int rowsOf(List<Batch> batches) {
        return batches.stream().mapToInt(batch -> batch.rows().size()).sum();
    }

    private void began(String work, int rows) {
        context.listener().began(work + " on " + rows + " rows");
    }

    private void evaluate(TrainingData data, int done) {
        began("evaluating", data.rows());
        double[] sums = steps.evaluate(data.inOrder(data.rows()));
        long responses = data.summary().responseTokens();
        EvaluationMetrics metrics = new EvaluationMetrics(
                done,
                -sums[LossStatistic.LABEL_LOG_PROBABILITY.column()] / responses,
                sums[LossStatistic.LABEL_IS_ARGMAX.column()] / responses,
                responses);
        requireFinite(done, "loss on the held-out rows", metrics.evalLoss());
        log.evaluation(metrics);
        context.listener().evaluated(metrics);
    }

    private void evaluateRetention(TrainingData data, int done) {
        began("evaluating retention", data.rows());
        double[] sums = steps.evaluate(data.inOrder(data.rows()));
        long responses = data.summary().responseTokens();
        RetentionMetrics metrics = new RetentionMetrics(
                done,
                -sums[LossStatistic.LABEL_LOG_PROBABILITY.column()] / responses,
                sums[LossStatistic.LABEL_IS_ARGMAX.column()] / responses,
                responses);
        requireFinite(done, "loss on the retention rows", metrics.retentionLoss());
        log.retention(metrics);
        context.listener().retentionEvaluated(metrics);
    }

    /**
     * Makes sure that the weights after so many steps can be gone on with: they have not been through a step themselves.
     *
     * @throws dev.holdfast.error.NonFiniteLossException if their loss on a micro-batch is not finite
     */
    void prove(int done) {
        double[] sums = steps.evaluate(context.job().rows().train().inOrder(config.batchSize()));
        requireFinite(done, "loss", -sums[LossStatistic.LABEL_LOG_PROBABILITY.column()]);
    }

    private void requireFinite(int done, String what, double value) {
        if (!Double.isFinite(value)) {
            throw checkpoints.bad(done, "after step " + done + ": " + what + " is " + value);
        }
    }
}
