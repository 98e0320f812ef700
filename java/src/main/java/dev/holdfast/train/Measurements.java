package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.loss.LossStatistic;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What is measured between steps: loss on rows that are not trained on, and how far the model has drifted. */
final class Measurements {
    private final RunContext context;
    private final TrainingConfig config;
    private final Schedule schedule;
    private final RunLog log;
    private final StepRunner steps;
    private final Teachers teachers;
    private final AnchorWeights weights;
    private final CheckpointKeeper checkpoints;
    private final DriftBudget budget;

    Measurements(
            RunContext context,
            Schedule schedule,
            RunLog log,
            StepRunner steps,
            Teachers teachers,
            AnchorWeights weights,
            CheckpointKeeper checkpoints) {
        this.context = context;
        this.config = context.config();
        this.schedule = schedule;
        this.log = log;
        this.steps = steps;
        this.teachers = teachers;
        this.weights = weights;
        this.checkpoints = checkpoints;
        this.budget = DriftBudget.of(config);
    }

    /**
     * Measures what is due after so many steps; a resumed run makes up for what its process did not live to measure.
     *
     * @return whether anything was
     * @throws dev.holdfast.error.NonFiniteLossException if the weights give something that is not a finite number
     */
    boolean measureIfDue(int done) {
        boolean evaluationIsDue = evaluationIsDue(done);
        boolean driftIsDue = driftIsDue(done) && !log.hasDrift(done);
        if (evaluationIsDue) {
            context.stopwatch().time(Stopwatch.Activity.EVALUATION, () -> evaluate(done));
        }
        if (driftIsDue) {
            context.stopwatch().time(Stopwatch.Activity.DRIFT, () -> measureDrift(done));
        }
        return evaluationIsDue || driftIsDue;
    }

    private void evaluate(int done) {
        TrainingRows rows = context.job().rows();
        rows.heldOut().filter(data -> !log.hasEvaluation(done)).ifPresent(data -> evaluate(data, done));
        rows.retention().filter(data -> !log.hasRetention(done)).ifPresent(data -> evaluateRetention(data, done));
    }

    /** Where an iteration ends, and where rows are evaluated. */
    private boolean driftIsDue(int done) {
        boolean iterationEnds = config.job() == Job.ANCHOR && done > 0 && schedule.endsIteration(done);
        return iterationEnds || evaluationIsDue(done);
    }

    private boolean evaluationIsDue(int done) {
        TrainingRows rows = context.job().rows();
        boolean possible = rows.heldOut().isPresent() || rows.retention().isPresent();
        boolean now = config.evalSteps() > 0 && done % config.evalSteps() == 0 || done == schedule.totalSteps();
        return done > 0 && possible && now;
    }

    /** The budget that the ledger shows to be exceeded after so many steps, if any. */
    Optional<BudgetBreach> breach(int done) {
        return linesUpTo(done)
                .filter(line -> line.path("step").asInt() == done)
                .findFirst()
                .flatMap(budget::breach);
    }

    /** The steps done at the last measurement that was within the budgets; the base is. */
    int lastWithinBudget(int done) {
        return linesUpTo(done)
                .filter(line -> budget.breach(line).isEmpty())
                .mapToInt(line -> line.path("step").asInt())
                .max()
                .orElse(0);
    }

    private Stream<JsonNode> linesUpTo(int done) {
        return budget.isSet()
                ? log.ledger().stream().filter(line -> line.path("step").asInt() <= done)
                : Stream.empty();
    }

    private void measureDrift(int done) {
        if (budget.isSet()) {
            checkpoints.save(done);
        }
        List<Batch> rows = context.job().rows().driftBatches();
        Optional<List<Batch>> retention = context.job().rows().retentionDriftBatches();
        began(
                "measuring drift",
                rowsOf(rows) + retention.map(Measurements::rowsOf).orElse(0));
        try (Teachers.Loan student = lendStudent(done);
                Teachers.Loan base = teachers.lend(0);
                DriftMeter meter = teachers.driftMeter(rows)) {
            Divergences kept = retentionDrift(retention, student.model(), base.model());
            LedgerEntry entry = config.job() == Job.ANCHOR
                    ? anchoredEntry(done, meter, student.model(), base.model(), kept)
                    : LedgerEntry.of(done, meter.tokens(), null, meter.fromBase(student.model(), base.model()), kept);
            requireFinite(done, entry);
            log.drift(entry);
            context.listener().measured(entry);
        }
    }

    private LedgerEntry anchoredEntry(
            int done, DriftMeter meter, FrozenModel student, FrozenModel base, Divergences kept) {
        try (Teachers.Loan before = teachers.lend(schedule.iterationStart(done - 1));
                Teachers.Loan reference = teachers.lendReference()) {
            DriftMeter.Moment moment = new DriftMeter.Moment(
                    done, schedule.iteration(done - 1) + 1, schedule.endsIteration(done), weights.at(done - 1));
            return meter.entry(moment, new DriftMeter.Models(student, before.model(), reference.model(), base), kept);
        }
    }

    private Teachers.Loan lendStudent(int done) {
        return checkpoints.has(done) ? teachers.lend(done) : teachers.lendOnce(checkpoints.stageWeights(done));
    }

    private void requireFinite(int done, LedgerEntry entry) {
        if (entry.iteration() != null) {
            requireFinite(done, "KL(step)", entry.iteration().klStep());
        }
        requireFinite(done, "KL from the base", entry.klTotal());
    }

    /** Drift from the base on rows of what should be kept; null where there are none. */
    private Divergences retentionDrift(Optional<List<Batch>> batches, FrozenModel student, FrozenModel base) {
        if (batches.isEmpty()) {
            return null;
        }
        try (DriftMeter meter = teachers.driftMeter(batches.get())) {
            return meter.fromBase(student, base);
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
