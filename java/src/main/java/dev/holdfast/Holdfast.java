package dev.holdfast;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.StagesFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.exporter.AdapterExporter;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.report.Report;
import dev.holdfast.runtime.OrtRuntime;
import dev.holdfast.train.Comparison;
import dev.holdfast.train.DryRun;
import dev.holdfast.train.Trainer;
import dev.holdfast.train.TrainingListener;
import dev.holdfast.train.TrainingOutcome;
import dev.holdfast.train.TrainingPlan;
import dev.holdfast.train.TrainingSupport;
import dev.holdfast.weights.LoraConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Fine-tuning in a JVM.
 *
 * <pre>{@code
 * Holdfast holdfast = Holdfast.boot();
 * ArtifactDirectory artifact = Exporter.of(Path.of("SmolLM2-135M-Instruct")).export(Path.of("artifact"));
 * FineTunedModel sft = holdfast.finetune(FineTuning.supervised(artifact).to(Path.of("runs/sft")), Examples.jsonLines(rows));
 * FineTunedModel anchored = holdfast.finetune(FineTuning.anchored(artifact, sft).to(Path.of("runs/anchor")), Examples.jsonLines(rows));
 * anchored.packageTo(Path.of("model"));
 * }</pre>
 *
 * <p>Thread safety: jobs may run side by side, each on a thread of its own and in a run directory of its own.
 */
public final class Holdfast {
    private Holdfast() {}

    /**
     * Loads the natives.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if one is missing, made for another platform, or cannot train; the message is
     *     the first cause and what to do
     */
    public static Holdfast boot() {
        NativeLibrary.load();
        OrtRuntime.boot();
        return new Holdfast();
    }

    /** Runs a job of one stage on rows, without a listener. */
    public FineTunedModel finetune(FineTuning settings, Examples train) {
        return finetune(settings, train, TrainingListener.NONE);
    }

    /** Runs a job of one stage on rows to its end. */
    public FineTunedModel finetune(FineTuning settings, Examples train, TrainingListener listener) {
        return finetune(settings, train, listener, () -> false);
    }

    /**
     * Runs a job of one stage on rows, and evaluates it on those that {@link ConfigKeys#DATA_EVAL} names, if it is set.
     *
     * <p>To cancel from another thread, let {@code stopRequested} read a flag that the thread sets: {@code cancelled::get} of an
     * {@link java.util.concurrent.atomic.AtomicBoolean}.
     *
     * @param settings supervised or anchored, with a directory for the run
     * @param train rows to learn
     * @param listener called on this thread; what it throws ends the run at once, without a checkpoint of the steps since the last
     * @param stopRequested asked before every step; once it is true the run writes a checkpoint and ends, and {@link FineTuning#resume()}
     *     continues it bit for bit
     * @return the model, whose {@link TrainingOutcome#finished()} is false if the run was stopped
     * @throws dev.holdfast.error.HoldfastException as {@link Trainer#run}
     */
    public FineTunedModel finetune(
            FineTuning settings, Examples train, TrainingListener listener, BooleanSupplier stopRequested) {
        TrainingConfig config = settings.config();
        TrainingOutcome outcome = Trainer.run(
                config,
                train,
                config.dataEval().map(Examples::jsonLines),
                listener,
                stopRequested,
                new ArtifactSupport());
        return new FineTunedModel(outcome.run(), outcome);
    }

    /**
     * Runs the job of a configuration on the rows that it names; a finished run is packaged in {@code <out>/model}.
     *
     * <p>A job of both stages leaves them in {@code <out>/sft} and {@code <out>/anchor}; where the first is asked to stop, the second does
     * not begin.
     *
     * @param listener called on this thread
     * @param stopRequested asked before every step; once it is true the run writes a checkpoint and ends
     * @throws dev.holdfast.error.HoldfastException as {@link Trainer#run}
     */
    public FineTunedModel run(TrainingConfig config, TrainingListener listener, BooleanSupplier stopRequested) {
        if (config.job() != Job.FINETUNE) {
            return runStage(config, listener, stopRequested);
        }
        return Trainer.runStages(config, stages -> runStages(stages, listener, stopRequested));
    }

    private static FineTunedModel runStages(
            TrainingConfig stages, TrainingListener listener, BooleanSupplier stopRequested) {
        StagesFolder folder = new StagesFolder(stages.out());
        FineTunedModel sft = runStage(stage(stages, Job.SFT, folder.sft()), listener, stopRequested);
        if (!sft.outcome().finished()) {
            return sft;
        }
        TrainingConfig anchor = stage(stages, Job.ANCHOR, folder.anchor()).with(ConfigKeys.REFERENCE, sft.run());
        return runStage(anchor, listener, stopRequested);
    }

    private static TrainingConfig stage(TrainingConfig config, Job job, Path out) {
        return config.as(job).with(ConfigKeys.OUT, out);
    }

    private static FineTunedModel runStage(
            TrainingConfig config, TrainingListener listener, BooleanSupplier stopRequested) {
        Examples train = Examples.jsonLines(config.dataTrain());
        Optional<Examples> eval = config.dataEval().map(Examples::jsonLines);
        TrainingOutcome outcome =
                Trainer.run(config, train, eval, listener, stopRequested, new PackagingSupport(listener));
        return new FineTunedModel(outcome.run(), outcome);
    }

    private static void packageFinished(TrainingOutcome outcome, TrainingListener listener) {
        Path target = StagesFolder.packagedModel(outcome.run());
        if (!outcome.finished() || Files.exists(target)) {
            return;
        }
        listener.began("packaging " + target);
        try {
            new FineTunedModel(outcome.run(), outcome).packageTo(target);
        } catch (FileAccessException e) {
            throw e.advising(
                    "The run is finished and its checkpoints are whole; when the cause is mended, package it with "
                            + "the same command and --resume");
        }
    }

    /**
     * What a job would do and cost, stage by stage; nothing is written.
     *
     * @throws dev.holdfast.error.HoldfastException if artifact, reference or rows are not fit for it
     */
    public List<TrainingPlan> plan(TrainingConfig config) {
        return stages(config).stream()
                .map(stage -> Trainer.plan(stage, Examples.jsonLines(stage.dataTrain()), new ArtifactSupport()))
                .toList();
    }

    /**
     * Builds the caches that an anchored job begins with, or completes what is there of them; a run with the same rows and models finds them.
     *
     * @param listener called on this thread
     * @param stopRequested asked before every block; once it is true the building ends, and the next call goes on from there
     * @return whether all caches are complete; true where the job has none
     * @throws dev.holdfast.error.HoldfastException as {@link Trainer#run} before its first step
     */
    public boolean prepare(TrainingConfig config, TrainingListener listener, BooleanSupplier stopRequested) {
        return Trainer.prepare(
                config,
                Examples.jsonLines(config.dataTrain()),
                listener,
                stopRequested,
                new PackagingSupport(listener));
    }

    /**
     * Makes the first step of each stage of a job and keeps nothing of it.
     *
     * @throws dev.holdfast.error.HoldfastException as {@link Trainer#run}
     */
    public List<DryRun> dryRun(TrainingConfig config) {
        return stages(config).stream()
                .map(stage -> Trainer.dryRun(stage, Examples.jsonLines(stage.dataTrain()), new ArtifactSupport()))
                .toList();
    }

    /** Before the reference of the second stage is trained, the artifact stands for it. */
    private static List<TrainingConfig> stages(TrainingConfig config) {
        if (config.job() != Job.FINETUNE) {
            return List.of(config);
        }
        StagesFolder folder = new StagesFolder(config.out());
        return List.of(
                stage(config, Job.SFT, folder.sft()),
                stage(config, Job.ANCHOR, folder.anchor()).with(ConfigKeys.REFERENCE, config.artifact()));
    }

    /**
     * Scores the base and the two models of a finished job of both stages on its held-out rows and its rows of what should be kept, and
     * leaves the scores in {@code <out>/comparison.json} and {@code <out>/report.html}.
     *
     * @param config a job of kind {@link Job#FINETUNE} that has been run
     */
    public Comparison compare(TrainingConfig config) {
        StagesFolder folder = new StagesFolder(config.out());
        Map<String, Path> tuned = new LinkedHashMap<>();
        tuned.put(Job.SFT.command(), folder.sft());
        tuned.put(Job.ANCHOR.command(), folder.anchor());
        Comparison comparison = Trainer.compare(config, tuned);
        comparison.write(folder.comparison());
        Report.write(config.out());
        return comparison;
    }

    /** Makes artifacts with adapters. */
    private static class ArtifactSupport implements TrainingSupport {
        @Override
        public void requireAdaptable(ArtifactDirectory full, LoraConfig lora) {
            AdapterExporter.requireAdaptable(full, lora);
        }

        @Override
        public ArtifactDirectory adapt(ArtifactDirectory full, LoraConfig lora, long seed, Path target) {
            return AdapterExporter.export(full, lora, seed, target);
        }
    }

    /** Packages finished runs, too. */
    private static final class PackagingSupport extends ArtifactSupport {
        private final TrainingListener listener;

        PackagingSupport(TrainingListener listener) {
            this.listener = listener;
        }

        @Override
        public void finished(TrainingOutcome outcome) {
            packageFinished(outcome, listener);
        }
    }
}
