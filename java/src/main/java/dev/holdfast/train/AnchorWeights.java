package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * The weight α of the reference in each outer iteration: {@code alpha} throughout, or with a {@code kl_budget} the largest one whose anchor q
 * is within the budget from the snapshot, KL(p_t ‖ q) ≤ {@code kl_budget}.
 *
 * <p>What was chosen is kept, so that a resumed run goes on with the same bits.
 */
final class AnchorWeights {
    private final RunContext context;
    private final TrainingConfig config;
    private final Schedule schedule;
    private final RunLog log;
    private final Teachers teachers;
    private final Map<Integer, Double> known = new HashMap<>();

    AnchorWeights(RunContext context, Schedule schedule, RunLog log, Teachers teachers) {
        this.context = context;
        this.config = context.config();
        this.schedule = schedule;
        this.log = log;
        this.teachers = teachers;
    }

    /**
     * The weight of the iteration that the step after so many belongs to.
     *
     * @param done steps done; the snapshot of its iteration is there
     */
    double at(int done) {
        if (config.job() != Job.ANCHOR || config.klBudget() == 0) {
            return teachers.alpha();
        }
        int start = schedule.iterationStart(done);
        return known.computeIfAbsent(start, begun -> kept(begun).orElseGet(() -> choose(begun)));
    }

    private Optional<Double> kept(int start) {
        return log.alphas().stream()
                .filter(line -> line.path("step").asInt(-1) == start)
                .map(line -> line.path("alpha"))
                .filter(JsonNode::isNumber)
                .map(JsonNode::asDouble)
                .findFirst();
    }

    private double choose(int start) {
        double[] chosen = new double[1];
        context.stopwatch().time(Stopwatch.Activity.DRIFT, () -> chosen[0] = solve(start));
        return chosen[0];
    }

    private double solve(int start) {
        List<Batch> rows = context.job().rows().alphaBatches();
        context.listener().began("choosing alpha");
        try (Teachers.Loan snapshot = teachers.lend(start);
                Teachers.Loan reference = teachers.lendReference();
                DriftMeter meter = teachers.anchorMeter(rows)) {
            DoubleUnaryOperator divergence = meter.klSnapshotAnchor(snapshot.model(), reference.model());
            double alpha = AlphaSolver.largestWithin(divergence, config.klBudget());
            AlphaEntry entry = new AlphaEntry(
                    start,
                    schedule.iteration(start) + 1,
                    alpha,
                    divergence.applyAsDouble(alpha),
                    config.klBudget(),
                    meter.tokens());
            log.alpha(entry);
            context.listener().alphaChosen(entry);
            return alpha;
        }
    }
}
