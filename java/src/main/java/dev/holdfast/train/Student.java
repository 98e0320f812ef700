package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The model in training with its optimizer.
 *
 * <p>Ownership: the caller closes it. Thread safety: none.
 */
final class Student implements AutoCloseable {
    private final PreparedJob job;
    private final TrainingSession session;
    private final AdamW optimizer;
    private GradientPort port;

    private Student(PreparedJob job, TrainingSession session, AdamW optimizer) {
        this.job = job;
        this.session = session;
        this.optimizer = optimizer;
    }

    /**
     * Opens the model.
     *
     * @param start the checkpoint to continue from; none to begin at the artifact
     */
    static Student open(PreparedJob job, Optional<ModelFolder> start) {
        if (job.config().threads() > 0) {
            // The optimizer runs on the native library's own threads.
            NativeLibrary.load().setThreadCount(job.config().threads());
        }
        AdamW optimizer = new AdamW(optimizerSettings(job.config()), job.parameters());
        start.ifPresent(folder -> RunCheckpoint.restore(folder, optimizer));
        Path weights =
                start.map(ModelFolder::checkpointFile).orElse(job.artifact().checkpoint());
        return new Student(job, TrainingSession.open(files(job, weights), job.sessionSettings()), optimizer);
    }

    private static TrainingFiles files(PreparedJob job, Path weights) {
        ArtifactDirectory artifact = job.artifact();
        List<String> parameters = artifact.manifest().trainable().stream()
                .map(Manifest.Parameter::name)
                .toList();
        return new TrainingFiles(
                weights,
                artifact.trainingModel(LossInputs.of(job.config()).form()),
                Optional.of(artifact.evalModel(TrainingForm.SFT)),
                Optional.empty(),
                parameters);
    }

    private static AdamW.Settings optimizerSettings(TrainingConfig config) {
        return new AdamW.Settings(
                config.adamBeta1(),
                config.adamBeta2(),
                config.adamEpsilon(),
                config.weightDecay(),
                config.maxGradNorm());
    }

    /** Forgets the gradients of the step before. */
    void resetGradients() {
        session.lazyResetGrad();
    }

    /**
     * Runs a micro-batch forward and backward; its gradients add to those since the last reset.
     *
     * @param step steps done before this one
     * @param microBatch its number in the global batch; with step and seed it decides what dropout leaves out
     */
    StepResult accumulate(Map<String, HostTensor> inputs, int step, int microBatch) {
        if (job.artifact().hasDropout()) {
            long[] key = {job.config().seed(), step, microBatch};
            inputs.put(GraphNames.DROPOUT_KEY, HostTensor.ofLongs(key, key.length));
        }
        StepResult result = session.trainStep(inputs);
        port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), job.parameters());
        return result;
    }

    /** Updates the weights, unless a gradient is not finite; the norm of the gradients. */
    double update(double learningRate) {
        return optimizer.step(port, learningRate);
    }

    /** Runs a micro-batch that is not trained on through the cross-entropy graph. */
    StepResult evaluate(Map<String, HostTensor> inputs) {
        return session.evalStep(inputs);
    }

    /** Starts the moments anew. */
    void restartOptimizer() {
        optimizer.restart();
    }

    /** The norm of all weights, which is finite if they are; there must have been a step. */
    double weightNorm() {
        return optimizer.parameterNorm(port);
    }

    /** Writes weights and moments, whole or not at all; there must have been a step. */
    void save(Path target) {
        RunCheckpoint.write(
                target, job.artifact(), port, optimizer, job.config().learningRate());
    }

    /** Writes the weights alone into a folder that exists; there must have been a step. */
    void saveWeights(Path folder) {
        RunCheckpoint.writeWeights(folder, job.artifact(), port);
    }

    @Override
    public void close() {
        session.close();
    }
}
