package dev.holdfast.train;

import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Examples;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.files.TemporaryFolder;
import dev.holdfast.runtime.ProcessMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Runs a training job of one stage, supervised fine-tuning or anchored distillation, and leaves a run directory.
 *
 * <p>Source: arXiv 2605.04468. The student starts from the artifact; at the start of each outer iteration a snapshot of it is frozen; for
 * the iteration's epochs the student learns the anchor between snapshot and reference. A run that was stopped or killed continues from
 * its last checkpoint bit for bit: position, order of the rows and learning rate follow from the number of steps, and weights and moments
 * are in the checkpoint.
 *
 * <p>Thread safety: none; the listener is called on the calling thread.
 */
public final class Trainer {
    private Trainer() {}

    /**
     * Runs a job.
     *
     * @param config a job of kind {@link Job#SFT} or {@link Job#ANCHOR}; of its paths of data only {@code data.retention} is read
     * @param train rows to learn
     * @param eval held-out rows
     * @param stopRequested asked before every step; once it is true the run writes a checkpoint and ends
     * @throws dev.holdfast.error.InvalidInputException if the run directory holds a run that is not to be resumed or is at work, the reference has
     *     another vocabulary, or no row can be learnt
     * @throws dev.holdfast.error.InvalidConfigurationException if the configuration does not fit the model, or lacks the run's directory
     * @throws dev.holdfast.error.NonFiniteLossException if loss or gradients are not finite
     * @throws FileAccessException if a file cannot be read or written, such as on a full disk; the run can be resumed
     * @throws dev.holdfast.error.HoldfastException if a file is damaged or ONNX Runtime fails
     */
    public static TrainingOutcome run(
            TrainingConfig config,
            Examples train,
            Optional<Examples> eval,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        return run(config, train, eval, listener, stopRequested, TrainingSupport.NONE);
    }

    /**
     * As {@link #run(TrainingConfig, Examples, Optional, TrainingListener, BooleanSupplier)}, also of artifacts that have yet to be given
     * the adapters that the configuration asks for.
     *
     * @param support makes them, in the run directory, and hears of the end
     */
    public static TrainingOutcome run(
            TrainingConfig config,
            Examples train,
            Optional<Examples> eval,
            TrainingListener listener,
            BooleanSupplier stopRequested,
            TrainingSupport support) {
        if (config.job() == Job.FINETUNE) {
            throw new IllegalArgumentException("job: expected sft or anchor, one stage at a time, got finetune");
        }
        config.require(ConfigKeys.ARTIFACT, ConfigKeys.OUT);
        PreparedJob job = PreparedJob.of(
                        config, train, eval, config.dataRetention().map(Examples::jsonLines))
                .requireAdaptable(support);
        try (RunDirectory directory = RunDirectory.open(job.config())) {
            begin(job, directory);
            PreparedJob adapted = job.adapted(support, directory.files().adaptedArtifact());
            TrainingOutcome outcome = run(RunContext.of(adapted, directory, listener), stopRequested);
            support.finished(outcome);
            return outcome;
        }
    }

    private static TrainingOutcome run(RunContext context, BooleanSupplier stopRequested) {
        try {
            TrainingOutcome outcome = reported(context, stopRequested);
            context.reporter().ended(outcome);
            return outcome;
        } catch (RuntimeException e) {
            context.reporter().failed(e);
            throw e;
        }
    }

    private static TrainingOutcome reported(RunContext context, BooleanSupplier stopRequested) {
        Optional<ModelFolder> start = ResumePoint.find(context);
        int done = start.flatMap(folder -> ModelFolder.stepOf(folder.path())).orElse(0);
        context.directory().keepUpTo(done);
        TrainingPlan plan = context.job().plan(done);
        context.reporter().planned(plan);
        context.listener().planned(plan);
        return finish(context, plan, start, stopRequested);
    }

    private static TrainingOutcome finish(
            RunContext context, TrainingPlan plan, Optional<ModelFolder> start, BooleanSupplier stopRequested) {
        try (Teachers teachers = new Teachers(context.job(), context.directory(), context.listener())) {
            // Before the student takes its memory: a cache is built by a model that is not needed afterwards.
            if (plan.firstStep() < plan.steps().total()) {
                teachers.prepare(context.job().schedule().iterationStart(plan.firstStep()), stopRequested);
            }
            context.listener().began("loading the model");
            try (Student student = Student.open(context.job(), start)) {
                return new TrainingLoop(context, plan, student, teachers).run(stopRequested);
            }
        } catch (FileAccessException e) {
            String checkpoint =
                    context.directory().latestCheckpoint().map(Path::toString).orElse("none yet");
            throw e.advising("Last good checkpoint: " + checkpoint
                    + "; when the cause is mended, continue with the same command and --resume");
        }
    }

    private static void begin(PreparedJob job, RunDirectory run) {
        TrainingConfig config = job.config();
        Provenance provenance = Provenance.of(job);
        Optional<Provenance> before = run.provenance();
        // In this order: another model may change the settings, and other settings change what rows become.
        before.ifPresent(earlier -> earlier.requireSameModels(provenance));
        run.requireSameConfig(config);
        before.ifPresent(earlier -> earlier.requireSameRows(provenance));
        before.ifPresent(earlier -> ModelFiles.verify(run.path()));
        if (before.isEmpty()) {
            run.begin(config, job.artifact().path(), provenance);
        }
    }

    /**
     * What a run would do and cost, without starting it: reads artifact and rows and leaves nothing.
     *
     * @throws dev.holdfast.error.HoldfastException as {@link #run} before its first step
     */
    public static TrainingPlan plan(TrainingConfig config, Examples train, TrainingSupport support) {
        return withAdapters(trainingOnly(config, train), support, job -> job.plan(0));
    }

    /**
     * Builds the caches that a run begins with, or completes what is there of them: of the reference, and of the base as the first snapshot.
     *
     * @param config a job of kind {@link Job#ANCHOR}
     * @param stopRequested asked before every block
     * @return whether all caches are complete; true where the run has none
     * @throws dev.holdfast.error.HoldfastException as {@link #run} before its first step
     */
    public static boolean prepare(
            TrainingConfig config,
            Examples train,
            TrainingListener listener,
            BooleanSupplier stopRequested,
            TrainingSupport support) {
        return withAdapters(trainingOnly(config, train), support, job -> prepare(job, listener, stopRequested));
    }

    private static boolean prepare(PreparedJob job, TrainingListener listener, BooleanSupplier stopRequested) {
        try (Teachers teachers = new Teachers(job, RunDirectory.at(job.config().out()), listener)) {
            return teachers.prepareCaches(stopRequested);
        }
    }

    /**
     * Makes the first step of a run and keeps nothing of it; nothing is written.
     *
     * @throws dev.holdfast.error.HoldfastException as {@link #run}
     */
    public static DryRun dryRun(TrainingConfig config, Examples train, TrainingSupport support) {
        return withAdapters(trainingOnly(config, train), support, Trainer::dryRun);
    }

    private static DryRun dryRun(PreparedJob job) {
        List<Batch> batch = job.rows().train().batcher().globalBatch(0, 0);
        try (Teachers teachers = new Teachers(job, RunDirectory.at(job.config().out()), TrainingListener.NONE)) {
            double epochs = (double) job.rows().train().summary().tokens()
                    / batch.stream().mapToLong(Batch::tokens).sum();
            double cacheSeconds = epochs * teachers.rehearse(batch);
            try (Student student = Student.open(job, Optional.empty())) {
                return firstStep(job, batch, new StepRunner(job.config(), student, teachers), cacheSeconds);
            }
        }
    }

    private static <T> T withAdapters(PreparedJob job, TrainingSupport support, Function<PreparedJob, T> use) {
        if (!job.isToBeAdapted()) {
            return use.apply(job);
        }
        job.requireAdaptable(support);
        try (TemporaryFolder folder = TemporaryFolder.near(job.config().out())) {
            return use.apply(job.adapted(support, folder.path().resolve("artifact")));
        }
    }

    private static PreparedJob trainingOnly(TrainingConfig config, Examples train) {
        return PreparedJob.of(config, train, Optional.empty(), Optional.empty());
    }

    private static DryRun firstStep(PreparedJob job, List<Batch> batch, StepRunner steps, double cacheSeconds) {
        long start = System.nanoTime();
        StepRunner.Result result = steps.step(0, batch, job.config().learningRate());
        double seconds = (System.nanoTime() - start) / 1e9;
        if (!result.isFinite()) {
            throw new NonFiniteLossException("step 1: loss is " + result.loss() + ", |g| is " + result.gradientNorm()
                    + " before anything was learnt; check the model and the rows");
        }
        return new DryRun(result.loss(), result.gradientNorm(), seconds, cacheSeconds, ProcessMemory.peakBytes());
    }

    /**
     * Makes the directory of a job of several stages, keeps its configuration there, and runs them while it is this job's alone.
     *
     * @param stages takes the configuration, fitted to the model
     * @return what the stages leave
     * @throws dev.holdfast.error.InvalidInputException if it holds something and is not to be resumed, or a run is at work there
     */
    public static <T> T runStages(TrainingConfig given, Function<TrainingConfig, T> stages) {
        TrainingConfig config = fitted(given);
        try (RunDirectory run = RunDirectory.open(config)) {
            run.requireSameConfig(config);
            run.writeConfig(config);
            return stages.apply(config);
        }
    }

    /** Scores the artifact of a job and models that were made of it; see {@link Comparison}. */
    public static Comparison compare(TrainingConfig config, Map<String, Path> tuned) {
        return Comparison.of(fitted(config), tuned);
    }

    private static TrainingConfig fitted(TrainingConfig config) {
        return PreparedJob.fitted(config, ModelFolder.resolve(config.artifact()).model());
    }
}
