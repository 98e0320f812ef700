package dev.holdfast.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.chart.BarChart;
import dev.holdfast.chart.LineChart;
import dev.holdfast.chart.LineChart.Style;
import dev.holdfast.chart.Point;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The pictures of a run; those that its files say nothing for are left out. */
final class RunCharts {
    private static final String STEP = "optimizer step";

    private final RunFiles run;
    private final List<Html.Figure> figures = new ArrayList<>();

    private RunCharts(RunFiles run) {
        this.run = run;
    }

    static List<Html.Figure> of(RunFiles run) {
        RunCharts charts = new RunCharts(run);
        charts.addLoss();
        charts.addAccuracy();
        charts.addDrift();
        charts.addOptimizer();
        charts.addTime();
        return charts.figures;
    }

    private void addLoss() {
        LineChart loss = bySteps(
                run.isAnchored() ? "Training loss: divergence from the anchor" : "Loss", "nats per response token");
        loss.byMagnitude().add("training", Style.PLAIN, RunFiles.points(run.metrics(), "loss"));
        LineChart held = run.isAnchored() ? bySteps("Loss on rows not trained on", "nats per response token") : loss;
        addHeldOut(held, "eval_loss", "retention_loss");
        add(
                loss,
                run.isAnchored()
                        ? "What the steps minimise. It rises where an iteration begins, for the anchor moves on then."
                        : "Cross-entropy of the response tokens. Held-out rows that rise while training falls tell of overfitting.");
        if (run.isAnchored()) {
            add(
                    held,
                    "Cross-entropy of the response tokens: of the task's held-out rows, and of rows of what should be kept.");
        }
    }

    private void addAccuracy() {
        LineChart accuracy = bySteps("Token accuracy", "share of response tokens");
        accuracy.add("training", Style.PLAIN, RunFiles.points(run.metrics(), "token_accuracy"));
        addHeldOut(accuracy, "eval_token_accuracy", "retention_token_accuracy");
        add(
                accuracy,
                "Response tokens to which the model gives the highest probability, each after the true ones before it.");
    }

    private void addHeldOut(LineChart chart, String heldOut, String retention) {
        chart.add("held-out rows", Style.DOTTED, RunFiles.points(run.evaluations(), heldOut));
        chart.add("retention rows", Style.DOTTED, RunFiles.points(run.retention(), retention));
    }

    private void addDrift() {
        LineChart total = bySteps("Drift from the base", "nats per response token");
        total.byMagnitude().add("KL(base, model) on the task", Style.DOTTED, RunFiles.points(run.ledger(), "kl_total"));
        total.add("on retention rows", Style.DOTTED, RunFiles.points(run.ledger(), "kl_total_retention"));
        total.add("KL(model, reference)", Style.DASHED, RunFiles.points(run.ledger(), "kl_to_reference"));
        addBudget(total, "kl_total_budget");
        addBudget(total, "kl_retention_budget");
        add(
                total,
                "How far the model has come from where it began. Learning moves it on the task; on retention rows drift is what is being forgotten.");
        List<JsonNode> ends = run.ledger().stream()
                .filter(line -> line.path("iteration_ended").asBoolean(true))
                .toList();
        LineChart steps = new LineChart(
                        "Step of each iteration, and its bound", "outer iteration", "nats per response token")
                .span(1, Math.max(1, run.config().path("outer_iterations").asInt(1)));
        steps.add("KL(snapshot, model)", Style.DOTTED, RunFiles.points(ends, "outer_iteration", "kl_step"));
        steps.add(
                "bound: α KL(snapshot, reference)", Style.DASHED, RunFiles.points(ends, "outer_iteration", "kl_bound"));
        add(steps, "A step solved exactly stays below its bound. One above it has gone further than the anchor asked.");
        LineChart within = bySteps("Distance from the snapshot, on training rows", "nats per response token");
        within.add("KL(snapshot, model)", Style.PLAIN, RunFiles.points(run.metrics(), "kl_snapshot_student"));
        within.add("bound: α KL(snapshot, reference)", Style.DASHED, RunFiles.points(run.metrics(), "kl_bound"));
        add(within, "The same in the batch of each step, as it goes on.");
    }

    private void addBudget(LineChart chart, String key) {
        double budget = RunFiles.number(run.config(), key);
        List<JsonNode> lines = run.ledger();
        if (budget > 0 && !lines.isEmpty()) {
            double first = lines.get(0).path("step").asDouble();
            double last = lines.get(lines.size() - 1).path("step").asDouble();
            chart.add(key, Style.DASHED, List.of(new Point(first, budget), new Point(last, budget)));
        }
    }

    private void addOptimizer() {
        LineChart rate = bySteps("Learning rate", "");
        rate.add("learning rate", Style.PLAIN, RunFiles.points(run.metrics(), "learning_rate"));
        add(
                rate,
                "Of each step: its warm-up, then its course; anew in each iteration unless restart_optimizer is off.");
        LineChart norm = bySteps("Gradient norm", "before clipping");
        norm.byMagnitude().add("norm of all gradients", Style.PLAIN, RunFiles.points(run.metrics(), "grad_norm"));
        add(norm, "Gradients above max_grad_norm are scaled down to it.");
    }

    private void addTime() {
        LineChart speed = bySteps("Speed", "tokens per second");
        speed.add("tokens per second", Style.PLAIN, RunFiles.points(run.metrics(), "tokens_per_second"));
        add(speed, "Prompts included, padding not, by the time of the step alone.");
        Map<String, Double> seconds = new LinkedHashMap<>();
        seconds.put("training steps", run.seconds("training_seconds"));
        seconds.put("drift", run.seconds("drift_seconds"));
        seconds.put("evaluation", run.seconds("evaluation_seconds"));
        seconds.put("checkpoints", run.seconds("checkpoint_seconds"));
        seconds.put("loading", run.seconds("loading_seconds"));
        double all = seconds.values().stream().mapToDouble(Double::doubleValue).sum();
        if (all > 0) {
            BarChart time =
                    new BarChart("Where the time went", "of " + Texts.duration(all) + ", all sessions together");
            time.add(
                    "",
                    seconds.entrySet().stream()
                            .map(part -> new BarChart.Bar(
                                    part.getKey(),
                                    part.getValue(),
                                    Texts.duration(part.getValue()) + ", " + Texts.percent(part.getValue() / all),
                                    part.getKey().equals("training steps")))
                            .toList());
            figures.add(new Html.Figure(time.svg(), "Steps that a resumed run had to repeat are counted once."));
        }
    }

    private LineChart bySteps(String title, String unit) {
        LineChart chart = new LineChart(title, STEP, unit).span(0, run.lastStep());
        List<Integer> starts = run.iterationStarts();
        for (int i = 0; i < starts.size(); i++) {
            chart.mark(starts.get(i), Integer.toString(i + 2));
        }
        run.resumed().forEach(step -> chart.mark(step, "resumed"));
        return chart;
    }

    private void add(LineChart chart, String caption) {
        if (!chart.isEmpty()) {
            figures.add(new Html.Figure(chart.svg(), caption));
        }
    }
}
