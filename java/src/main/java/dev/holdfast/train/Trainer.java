package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.StagedDirectory;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Examples;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.runtime.ProcessMemory;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

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
    /** Rows on which drift is measured where no held-out rows are given. */
    private static final int DRIFT_ROWS = 64;

    private final TrainingConfig config;
    private final ArtifactDirectory artifact;
    private final Examples train;
    private final Optional<Examples> eval;
    private final TrainingListener listener;
    private final BooleanSupplier stopRequested;

    private Trainer(
            TrainingConfig config,
            ArtifactDirectory artifact,
            Examples train,
            Optional<Examples> eval,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        this.config = config;
        this.artifact = artifact;
        this.train = train;
        this.eval = eval;
        this.listener = listener;
        this.stopRequested = stopRequested;
    }

    /**
     * Runs a job.
     *
     * @param config a job of kind {@link Job#SFT} or {@link Job#ANCHOR}; its paths of data are not read
     * @param train rows to learn
     * @param eval held-out rows
     * @param stopRequested asked after every step; once it is true the run writes a checkpoint and ends
     * @throws dev.holdfast.error.InvalidInputException if the run directory holds a run that is not to be resumed, the reference has
     *     another vocabulary, or no row can be learnt
     * @throws dev.holdfast.error.InvalidConfigurationException if the configuration does not fit the model
     * @throws dev.holdfast.error.NonFiniteLossException if loss or gradients are not finite
     * @throws dev.holdfast.error.HoldfastException if a file is damaged or ONNX Runtime fails
     */
    public static TrainingOutcome run(
            TrainingConfig config,
            Examples train,
            Optional<Examples> eval,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        if (config.job() == Job.FINETUNE) {
            throw new IllegalArgumentException("job: expected sft or anchor, one stage at a time, got finetune");
        }
        ArtifactDirectory artifact = ArtifactDirectory.open(config.artifact());
        TrainingConfig fitted = fitted(config, artifact.manifest().model());
        return new Trainer(fitted, artifact, train, eval, listener, stopRequested).run();
    }

    /**
     * What a run would do and cost, without starting it: reads artifact and rows and writes nothing.
     *
     * @throws dev.holdfast.error.HoldfastException as {@link #run} before its first step
     */
    public static TrainingPlan plan(TrainingConfig config, Examples train) {
        ArtifactDirectory artifact = ArtifactDirectory.open(config.artifact());
        TrainingConfig fitted = fitted(config, artifact.manifest().model());
        Trainer trainer = new Trainer(fitted, artifact, train, Optional.empty(), TrainingListener.NONE, () -> false);
        trainer.requireReference();
        return trainer.plan(trainer.encode(train), 0);
    }

    /**
     * Makes the first step of a run and keeps nothing of it.
     *
     * @throws dev.holdfast.error.HoldfastException as {@link #run}
     */
    public static DryRun dryRun(TrainingConfig config, Examples train) {
        ArtifactDirectory artifact = ArtifactDirectory.open(config.artifact());
        TrainingConfig fitted = fitted(config, artifact.manifest().model());
        return new Trainer(fitted, artifact, train, Optional.empty(), TrainingListener.NONE, () -> false).dryRun();
    }

    /**
     * Makes the directory of a job of several stages and keeps its configuration there.
     *
     * @return the configuration, fitted to the model
     * @throws dev.holdfast.error.InvalidInputException if it holds something and is not to be resumed
     */
    public static TrainingConfig beginStages(TrainingConfig given) {
        TrainingConfig config =
                fitted(given, ModelFolder.resolve(given.artifact()).model());
        RunDirectory run = config.resume() ? RunDirectory.resume(config.out()) : RunDirectory.create(config.out());
        run.requireSameConfig(config);
        run.writeConfig(config);
        return config;
    }

    /** Scores the artifact of a job and models that were made of it; see {@link Comparison}. */
    public static Comparison compare(TrainingConfig config, Map<String, Path> tuned) {
        return Comparison.of(
                fitted(config, ModelFolder.resolve(config.artifact()).model()), tuned);
    }

    /** The default length gives way to a model with fewer positions; a length that was asked for does not. */
    private static TrainingConfig fitted(TrainingConfig config, Manifest.Model model) {
        if (config.maxLength() <= model.maximumPositions()) {
            return config;
        }
        if (config.isSet(ConfigKeys.MAX_LENGTH)) {
            throw new InvalidConfigurationException(List.of("max_length: expected at most " + model.maximumPositions()
                    + ", the positions that the model knows, got " + config.maxLength()));
        }
        return config.with(ConfigKeys.MAX_LENGTH, (long) model.maximumPositions());
    }

    private TrainingOutcome run() {
        requireReference();
        TrainingData rows = encode(train);
        Optional<TrainingData> heldOut = eval.map(this::encode);
        RunDirectory run = begin(rows, heldOut);
        int done = run.latestCheckpoint().flatMap(ModelFolder::stepOf).orElse(0);
        run.metrics().keepUpTo(done);
        run.evaluations().keepUpTo(done);
        run.ledger().keepUpTo(done);
        TrainingPlan plan = plan(rows, done);
        listener.planned(plan);
        try (TrainingSession session = openSession(run);
                Teachers teachers = Teachers.open(config, artifact, run, settings())) {
            List<Batch> driftBatches = heldOut.orElse(rows).inOrder(DRIFT_ROWS);
            StepRunner steps = new StepRunner(config, parameters(), session, teachers, optimizer(run));
            return new TrainingLoop(
                            plan,
                            artifact,
                            run,
                            rows.batcher(),
                            steps,
                            teachers,
                            heldOut,
                            driftBatches,
                            listener,
                            stopRequested)
                    .run();
        }
    }

    private DryRun dryRun() {
        requireReference();
        TrainingData rows = encode(train);
        Path folder = temporaryFolder();
        try {
            return firstStep(RunDirectory.create(folder), rows);
        } finally {
            StagedDirectory.deleteTree(folder);
        }
    }

    private static Path temporaryFolder() {
        try {
            return Files.createTempDirectory("holdfast-dry-run");
        } catch (IOException e) {
            throw FileAccessException.writing(Path.of(System.getProperty("java.io.tmpdir")), e);
        }
    }

    private DryRun firstStep(RunDirectory run, TrainingData rows) {
        try (TrainingSession session = openSession(run);
                Teachers teachers = Teachers.open(config, artifact, run, settings())) {
            StepRunner steps = new StepRunner(config, parameters(), session, teachers, optimizer(run));
            teachers.takeSnapshot(0);
            long start = System.nanoTime();
            StepRunner.Result result = steps.step(rows.batcher().globalBatch(0, 0), config.learningRate());
            double seconds = (System.nanoTime() - start) / 1e9;
            if (!Double.isFinite(result.loss()) || !Double.isFinite(result.gradientNorm())) {
                throw new NonFiniteLossException("step 1: loss is " + result.loss() + ", |g| is "
                        + result.gradientNorm() + " before anything was learnt; check the model and the rows");
            }
            return new DryRun(result.loss(), result.gradientNorm(), seconds, ProcessMemory.peakBytes());
        }
    }

    private void requireReference() {
        if (config.job() == Job.ANCHOR) {
            VocabularyCheck.requireSame(ModelFolder.resolve(artifact.path()), ModelFolder.resolve(config.reference()));
        }
    }

    private TrainingData encode(Examples examples) {
        return TrainingData.of(config, artifact.manifest().model(), artifact.path(), examples);
    }

    private TrainingPlan plan(TrainingData rows, int done) {
        DataSummary data = rows.summary();
        long responses = data.responseTokens() / data.rows() * config.batchSize();
        return new TrainingPlan(
                config,
                artifact.manifest().model(),
                artifact.manifest().parameterCount(),
                data,
                TrainingSteps.of(config, rows.rows()),
                done,
                MemoryEstimate.of(config, artifact.manifest(), data.longestRow(), responses));
    }

    private RunDirectory begin(TrainingData rows, Optional<TrainingData> heldOut) {
        Map<String, Provenance.Input> data = new LinkedHashMap<>();
        data.put("train", new Provenance.Input(train.name(), rows.digest()));
        heldOut.ifPresent(encoded ->
                data.put("eval", new Provenance.Input(eval.orElseThrow().name(), encoded.digest())));
        Provenance provenance = Provenance.of(config, artifact, data);
        RunDirectory run = config.resume() ? RunDirectory.resume(config.out()) : RunDirectory.create(config.out());
        Optional<Provenance> before = run.provenance();
        // In this order: another model may change the settings, and other settings change what rows become.
        before.ifPresent(earlier -> earlier.requireSameModels(provenance));
        run.requireSameConfig(config);
        before.ifPresent(earlier -> earlier.requireSameRows(provenance));
        if (before.isEmpty()) {
            run.begin(config, artifact.path(), provenance);
        }
        return run;
    }

    private TrainingSession openSession(RunDirectory run) {
        TrainingForm form = LossInputs.of(config).form();
        Path checkpoint = run.latestCheckpoint()
                .map(folder -> folder.resolve(ArtifactDirectory.CHECKPOINT))
                .orElse(artifact.checkpoint());
        List<String> parameters = artifact.manifest().parameters().stream()
                .map(parameter -> parameter.name())
                .toList();
        TrainingFiles files = new TrainingFiles(
                checkpoint,
                artifact.trainingModel(form),
                Optional.of(artifact.evalModel(TrainingForm.SFT)),
                Optional.empty(),
                parameters);
        return TrainingSession.open(files, settings());
    }

    private AdamW optimizer(RunDirectory run) {
        AdamW.Settings settings = new AdamW.Settings(
                config.adamBeta1(),
                config.adamBeta2(),
                config.adamEpsilon(),
                config.weightDecay(),
                config.maxGradNorm());
        AdamW optimizer = new AdamW(settings, parameters());
        run.latestCheckpoint().ifPresent(folder -> RunCheckpoint.restore(ModelFolder.resolve(folder), optimizer));
        return optimizer;
    }

    private List<GradientPort.Parameter> parameters() {
        return artifact.manifest().parameters().stream()
                .filter(Manifest.Parameter::trainable)
                .map(parameter -> new GradientPort.Parameter(parameter.name(), parameter.concreteShape()))
                .toList();
    }

    /** The native library's own threads, which the optimizer uses, follow the same setting as ONNX Runtime's. */
    private SessionSettings settings() {
        if (config.threads() > 0) {
            NativeLibrary.load().setThreadCount(config.threads());
        }
        if (config.bf16() && !NativeLibrary.load().multipliesBfloat16()) {
            throw new InvalidConfigurationException(
                    List.of("bf16: expected a processor with AVX512_BF16 or AMX, got one without; leave bf16 out"));
        }
        return SessionSettings.defaults()
                .withBfloat16Products(config.bf16())
                .withIntraOpThreads(config.threads())
                .withOperatorLibrary(NativeLibrary.load().operatorLibrary());
    }
}
