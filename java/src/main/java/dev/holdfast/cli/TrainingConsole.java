package dev.holdfast.cli;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.train.AlphaEntry;
import dev.holdfast.train.CachePlan;
import dev.holdfast.train.CacheProgress;
import dev.holdfast.train.CachedModel;
import dev.holdfast.train.DataSummary;
import dev.holdfast.train.EvaluationMetrics;
import dev.holdfast.train.IterationDrift;
import dev.holdfast.train.LedgerEntry;
import dev.holdfast.train.RetentionMetrics;
import dev.holdfast.train.StepMetrics;
import dev.holdfast.train.TrainingListener;
import dev.holdfast.train.TrainingPlan;
import dev.holdfast.weights.LoraConfig;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Shows a training run: what it resolved and will cost, then its progress. */
final class TrainingConsole implements TrainingListener, AutoCloseable {
    private static final long PATIENCE_MILLIS = 3000;
    private static final long CACHE_INTERVAL_NANOS = 10_000_000_000L;
    private static final String AFTER_THIS_STEP = "stopping after this step";

    private final Console console;
    private final LongWork work;
    private long cacheSaidNanos = System.nanoTime();
    private volatile Progress progress;
    private volatile String stopping = AFTER_THIS_STEP;

    TrainingConsole(Console console) {
        this(console, PATIENCE_MILLIS);
    }

    /**
     * A listener that shows what it hears.
     *
     * @param patienceMillis how long work between the steps may take without being announced
     */
    TrainingConsole(Console console, long patienceMillis) {
        this.console = console;
        this.work = new LongWork(patienceMillis);
    }

    @Override
    public void planned(TrainingPlan next) {
        endProgress();
        describe(console, next);
        TrainingConfig config = next.config();
        stopping = consequence(config.job(), next.firstStep() == next.steps().total());
        progress = Progress.start(console, config.job().command(), next.steps().total(), config.loggingSteps());
    }

    private static String consequence(Job job, boolean isDone) {
        return isDone ? "all steps of " + job.command() + " are done already, finishing" : AFTER_THIS_STEP;
    }

    /** What a request to stop leads to now; on any thread. */
    String consequenceOfStopping() {
        return stopping;
    }

    @Override
    public void began(String what) {
        work.begin(() -> say(what + " ..."));
    }

    @Override
    public void caching(CacheProgress cache) {
        long now = System.nanoTime();
        if (now - cacheSaidNanos >= CACHE_INTERVAL_NANOS && cache.rows() < cache.allRows()) {
            cacheSaidNanos = now;
            say(format("cache   %s  %,d of %,d rows", cache.model(), cache.rows(), cache.allRows()));
        }
    }

    @Override
    public void cached(CachedModel cache) {
        work.end();
        say(format(
                "cache   %s  %,d rows, %s, %s%s",
                cache.model(),
                cache.rows(),
                Sizes.bytes(cache.sizeBytes()),
                cache.seconds()
                        .map(seconds -> format("built in %.1f s", seconds))
                        .orElse("found"),
                cache.relativeError() == 0
                        ? ""
                        : format("; rounding changed them by %.1e of their norm", cache.relativeError())));
    }

    @Override
    public void saving(Path checkpoint, long sizeBytes) {
        began("writing " + checkpoint.getFileName() + " (" + Sizes.bytes(sizeBytes) + ")");
    }

    /** A line of its own, above the bar where there is one. */
    private void say(String line) {
        Progress shown = progress;
        if (shown == null) {
            console.say(line);
        } else {
            shown.say(line);
        }
    }

    /** Says what a run has resolved and will cost. */
    static void describe(Console console, TrainingPlan plan) {
        DataSummary data = plan.data();
        console.say(format(
                "model   %s, %s, %s, %s, %s, CPU",
                plan.model().name(),
                plan.model().family(),
                Sizes.parameters(plan.parameterCount()),
                tuning(plan),
                plan.config().bf16() ? "fp32 with bf16 products" : "fp32"));
        console.say(format(
                "data    %,d rows, %,d tokens, %,d of them responses",
                data.rows(), data.tokens(), data.responseTokens()));
        data.warnings().forEach(warning -> console.say("        " + warning));
        console.say(format(
                "plan    %s; memory about %s; each checkpoint %s on disk",
                steps(plan),
                Sizes.bytes(plan.memory().totalBytes()),
                Sizes.bytes(plan.memory().checkpointBytes())));
        if (plan.caches().diskBytes() > 0) {
            console.say(format(
                    "cache   %s of hidden states of %s in %s, as %s",
                    Sizes.bytes(plan.caches().diskBytes()),
                    cachedModels(plan.caches()),
                    plan.caches().folder(),
                    ConfigKeys.CACHE_TYPE.type().format(plan.caches().type())));
        }
    }

    private static String cachedModels(CachePlan caches) {
        return Stream.of(
                        caches.cachesReference() ? "the reference" : "",
                        caches.cachesSnapshots() ? count(caches.snapshots(), "snapshot") + " at a time" : "")
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining(" and "));
    }

    private static String tuning(TrainingPlan plan) {
        LoraConfig lora = plan.model().lora();
        return lora == null
                ? "full fine-tuning"
                : format(
                        "LoRA of rank %d on %s (%s trained)",
                        lora.r(), String.join(", ", lora.targetModules()), Sizes.parameters(plan.trainableCount()));
    }

    private static String steps(TrainingPlan plan) {
        TrainingConfig config = plan.config();
        String steps = config.job() == Job.ANCHOR
                ? anchoredSteps(config, plan.steps())
                : count(plan.steps().total(), "step")
                        + format(" of %,d an epoch", plan.steps().perEpoch());
        return plan.firstStep() == 0 ? steps : steps + format(", of which %,d are done", plan.firstStep());
    }

    private static String anchoredSteps(TrainingConfig config, TrainingSteps steps) {
        int all = steps.perIteration() * config.outerIterations();
        String whole = count(config.outerIterations(), "iteration") + " × " + count(config.innerEpochs(), "epoch");
        return steps.total() < all
                ? count(steps.total(), "step") + format(" of %,d (%s), by max_steps", all, whole)
                : whole + " = " + count(all, "step");
    }

    private static String count(int number, String what) {
        return format("%,d %s%s", number, what, number == 1 ? "" : "s");
    }

    @Override
    public void stepped(StepMetrics metrics) {
        work.end();
        Job job = metrics.outerIteration() == null ? Job.SFT : Job.ANCHOR;
        stopping = consequence(job, metrics.step() == metrics.totalSteps());
        progress.update(metrics.step(), () -> detail(metrics));
    }

    private static String detail(StepMetrics metrics) {
        String iteration = metrics.outerIteration() == null ? "" : "iter " + metrics.outerIteration() + "  ";
        return iteration
                + format(
                        "loss %.4f  acc %.3f  lr %.1e  |g| %.2f  %,.0f tok/s",
                        metrics.loss(),
                        metrics.tokenAccuracy(),
                        metrics.learningRate(),
                        metrics.gradientNorm(),
                        metrics.tokensPerSecond())
                + stepDrift(metrics.statistics());
    }

    /** How far the batch is from the snapshot; nothing where the step's own logits stand for it. */
    private static String stepDrift(Map<String, Double> statistics) {
        double step = statistics.getOrDefault(LossStatistic.KL_SNAPSHOT_STUDENT.key(), 0.0);
        return step == 0 ? "" : format("  KL(step) %.4f, bound %.4f", step, statistics.get(StepMetrics.KL_BOUND));
    }

    @Override
    public void evaluated(EvaluationMetrics metrics) {
        work.end();
        say(format(
                "eval    step %,d  loss %.4f  acc %.3f on %,d response tokens",
                metrics.step(), metrics.evalLoss(), metrics.evalTokenAccuracy(), metrics.evalResponseTokens()));
    }

    @Override
    public void retentionEvaluated(RetentionMetrics metrics) {
        work.end();
        say(format(
                "kept    step %,d  loss %.4f  acc %.3f on %,d response tokens of data.retention",
                metrics.step(),
                metrics.retentionLoss(),
                metrics.retentionTokenAccuracy(),
                metrics.retentionResponseTokens()));
    }

    @Override
    public void alphaChosen(AlphaEntry entry) {
        work.end();
        say(format(
                "alpha   iteration %d  %.3f, so that KL(snapshot, anchor) is %.4f within kl_budget %s",
                entry.outerIteration(), entry.alpha(), entry.klSnapshotAnchor(), entry.budget()));
    }

    @Override
    public void measured(LedgerEntry entry) {
        work.end();
        IterationDrift iteration = entry.iteration();
        String total = format(
                "KL from base %.4f%s",
                entry.klTotal(),
                entry.klTotalRetention() == null ? "" : format(" (on retention rows %.4f)", entry.klTotalRetention()));
        say(
                iteration == null
                        ? format("drift   step %,d  %s", entry.step(), total)
                        : drift(entry.step(), iteration, total));
    }

    private static String drift(int step, IterationDrift iteration, String total) {
        return format(
                "drift   iteration %d%s  KL(step) %.4f, bound %.4f, %.0f %% of tokens above  %s  KL to reference %.4f",
                iteration.outerIteration(),
                iteration.ended() ? "" : format(" at step %,d", step),
                iteration.klStep(),
                iteration.klBound(),
                100 * iteration.shareAboveBound(),
                total,
                iteration.klToReference());
    }

    @Override
    public void saved(Path checkpoint) {
        work.end();
        if (console.verbosity() == Verbosity.VERBOSE) {
            say("saved   " + checkpoint);
        }
    }

    /** Told even where the run is to be quiet. */
    @Override
    public void warned(String problem) {
        console.messages().println("warning: " + problem);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    @Override
    public void close() {
        work.close();
        endProgress();
    }

    private void endProgress() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
