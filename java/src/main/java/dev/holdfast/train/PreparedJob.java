package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A job of one stage whose inputs are read and fit together; nothing is written yet.
 *
 * @param config the settings, fitted to the model
 * @param artifact what training starts from
 * @param reference what an anchored job learns towards, verified; none for supervised fine-tuning
 * @param rows what is learnt, and what is held out
 */
record PreparedJob(
        TrainingConfig config, ArtifactDirectory artifact, Optional<FrozenSource> reference, TrainingRows rows) {
    /** Reads what a configuration names, and the rows. */
    static PreparedJob of(TrainingConfig given, Examples train, Optional<Examples> eval, Optional<Examples> retention) {
        ArtifactDirectory artifact = ArtifactDirectory.open(given.artifact());
        TrainingConfig config = fitted(given, artifact.manifest().model());
        requireProducts(config, artifact, NativeLibrary.load().multipliesBfloat16());
        LoraSettings.of(config).requireSameAs(artifact);
        Optional<FrozenSource> reference =
                config.job() == Job.ANCHOR ? Optional.of(reference(config, artifact)) : Optional.empty();
        TrainingRows rows = TrainingRows.of(config, artifact, train, eval, retention);
        PreparedJob job = new PreparedJob(config, artifact, reference, rows);
        CachePlan.of(job).requireRoom(job);
        return job;
    }

    /** Refuses {@code bf16} where it could not be had, before a run says that it has it. */
    static void requireProducts(TrainingConfig config, ArtifactDirectory artifact, boolean multipliesBfloat16) {
        if (!config.bf16()) {
            return;
        }
        if (!multipliesBfloat16) {
            throw new InvalidConfigurationException(
                    List.of("bf16: expected a processor with AVX512_BF16 or AMX, got one without; leave bf16 out"));
        }
        Path graph = artifact.trainingModel(TrainingForm.SFT);
        boolean ours = ModelFile.read(graph).nodes().stream()
                .anyMatch(node -> node.operator().equals(Optional.of(Operator.MATRIX_PRODUCT)));
        if (!ours) {
            throw new InvalidConfigurationException(List.of("bf16: expected an artifact with products of "
                    + Operator.MATRIX_PRODUCT + ", got none in " + graph
                    + "; export the model again, without --kernels stock"));
        }
    }

    private static FrozenSource reference(TrainingConfig config, ArtifactDirectory artifact) {
        FrozenSource student = base(artifact);
        // The artifact has been verified already.
        FrozenSource reference =
                config.reference().equals(artifact.path()) ? student : FrozenSource.open(config.reference());
        VocabularyCheck.requireSame(student, reference);
        return reference;
    }

    /** The default length gives way to a model with fewer positions; a length that was asked for does not. */
    static TrainingConfig fitted(TrainingConfig config, Manifest.Model model) {
        if (config.maxLength() <= model.maximumPositions()) {
            return config;
        }
        if (config.isSet(ConfigKeys.MAX_LENGTH)) {
            throw new InvalidConfigurationException(List.of("max_length: expected at most " + model.maximumPositions()
                    + ", the positions that the model knows, got " + config.maxLength()));
        }
        return config.with(ConfigKeys.MAX_LENGTH, (long) model.maximumPositions());
    }

    /** What the student starts from, as a model that is not trained. */
    FrozenSource base() {
        return base(artifact);
    }

    private static FrozenSource base(ArtifactDirectory artifact) {
        return new TrainedSource(ModelFolder.resolve(artifact.path()));
    }

    /** Whether the artifact has yet to be given the adapters that the job asks for. */
    boolean isToBeAdapted() {
        return LoraSettings.of(config).areSet() && artifact.lora().isEmpty();
    }

    /**
     * Makes sure that the adapters that it asks for can be had.
     *
     * @throws InvalidConfigurationException if they cannot
     */
    PreparedJob requireAdaptable(TrainingSupport support) {
        if (isToBeAdapted()) {
            support.requireAdaptable(artifact, LoraSettings.of(config).lora());
        }
        return this;
    }

    /**
     * The job on an artifact with the adapters that it asks for.
     *
     * @param folder where that artifact is, or is to be
     */
    PreparedJob adapted(TrainingSupport support, Path folder) {
        if (!isToBeAdapted()) {
            return this;
        }
        ArtifactDirectory adapted = ArtifactDirectory.isArtifact(folder)
                ? ArtifactDirectory.open(folder)
                : support.adapt(artifact, LoraSettings.of(config).lora(), config.seed(), folder);
        return new PreparedJob(config, adapted, reference, rows);
    }

    /** Where its steps stand. */
    Schedule schedule() {
        return new Schedule(config, steps());
    }

    /** How many there are. */
    TrainingSteps steps() {
        return TrainingSteps.of(config, rows.train().rows());
    }

    /** What the job does and costs from a step on. */
    TrainingPlan plan(int firstStep) {
        Manifest manifest = artifact.manifest();
        return new TrainingPlan(
                config,
                manifest.model(),
                manifest.parameterCount(),
                manifest.trainableCount(),
                rows.train().summary(),
                steps(),
                firstStep,
                MemoryEstimate.of(this),
                CachePlan.of(this));
    }

    /** The parameters in training, in the order of every graph. */
    List<GradientPort.Parameter> parameters() {
        return artifact.manifest().trainable().stream()
                .map(parameter -> new GradientPort.Parameter(parameter.name(), parameter.concreteShape()))
                .toList();
    }

    SessionSettings sessionSettings() {
        return sessionSettings(config);
    }

    /** How the sessions of a job compute. */
    static SessionSettings sessionSettings(TrainingConfig config) {
        return SessionSettings.defaults()
                .withBfloat16Products(config.bf16())
                .withIntraOpThreads(config.threads())
                .withOperatorLibrary(NativeLibrary.load().operatorLibrary());
    }
}
