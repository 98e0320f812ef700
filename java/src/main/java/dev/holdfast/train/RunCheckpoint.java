package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.BaseWeights;
import dev.holdfast.artifact.CheckpointBinding;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.OptimizerGroup;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PendingTensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a checkpoint of a run: weights and optimizer state as ONNX Runtime has them, with the graphs beside it that run the weights as
 * they are. Frozen weights are shared with the artifact.
 */
final class RunCheckpoint {
    // The names that ONNX Runtime gives the optimizer's state.
    private static final String GROUP = "group0";
    private static final String FIRST_MOMENT = "momentum0";
    private static final String SECOND_MOMENT = "momentum1";

    private RunCheckpoint() {}

    /**
     * Writes the folder whole or not at all.
     *
     * @param target a folder that does not exist yet
     * @param port the parameters in training
     * @param optimizer their moments
     * @param learningRate the peak, which ONNX Runtime keeps with the state
     */
    static void write(
            Path target, ArtifactDirectory artifact, GradientPort port, AdamW optimizer, double learningRate) {
        try (StagedDirectory staged = StagedDirectory.forNew(target)) {
            CheckpointWriter writer = weights(port);
            writer.optimizerGroup(state(optimizer, learningRate));
            write(staged.path(), artifact, writer);
            staged.commit();
        }
    }

    /**
     * Writes the weights alone, as a model that can be run but not resumed from.
     *
     * @param folder a folder that exists
     */
    static void writeWeights(Path folder, ArtifactDirectory artifact, GradientPort port) {
        write(folder, artifact, weights(port));
    }

    private static CheckpointWriter weights(GradientPort port) {
        CheckpointWriter writer = new CheckpointWriter();
        List<GradientPort.Parameter> parameters = port.parameters();
        for (int i = 0; i < parameters.size(); i++) {
            writer.trainable(PendingTensor.of(parameters.get(i).name(), port.parameter(i)));
        }
        return writer;
    }

    private static void write(Path folder, ArtifactDirectory artifact, CheckpointWriter writer) {
        Path file = folder.resolve(ArtifactDirectory.CHECKPOINT);
        Map<String, FileDigest> digests = writer.write(file);
        digests.putAll(artifact.shareFrozenWeights(folder));
        OrtCheckpoint checkpoint = BaseWeights.readOver(folder);
        for (Path model : List.of(artifact.forwardModel(), artifact.hiddenModel())) {
            Path bound = folder.resolve(model.getFileName());
            digests.put(bound.getFileName().toString(), CheckpointBinding.rebind(model, checkpoint, bound));
        }
        ModelFolder.describe(folder, artifact.manifest().model(), digests);
    }

    private static OptimizerGroup<PendingTensor> state(AdamW optimizer, double learningRate) {
        Map<String, List<PendingTensor>> moments = new LinkedHashMap<>();
        Map<String, HostTensor> second = optimizer.secondMoments();
        optimizer
                .firstMoments()
                .forEach((name, first) -> moments.put(
                        name,
                        List.of(
                                PendingTensor.of(FIRST_MOMENT, first),
                                PendingTensor.of(SECOND_MOMENT, second.get(name)))));
        return new OptimizerGroup<>(GROUP, optimizer.stepCount(), (float) learningRate, moments);
    }

    /**
     * Gives an optimizer the moments and the step count of a checkpoint.
     *
     * @throws InvalidInputException if the checkpoint has none, or those of other parameters
     */
    static void restore(ModelFolder folder, AdamW optimizer) {
        OrtCheckpoint checkpoint = folder.checkpoint();
        if (checkpoint.optimizerGroups().isEmpty()) {
            throw new InvalidInputException(
                    folder.checkpointFile() + ": expected an optimizer's state to resume from, got none");
        }
        OptimizerGroup<CheckpointTensor> group = checkpoint.optimizerGroups().get(0);
        optimizer.restore(moments(checkpoint, group, 0), moments(checkpoint, group, 1), group.step());
    }

    private static Map<String, HostTensor> moments(
            OrtCheckpoint checkpoint, OptimizerGroup<CheckpointTensor> group, int which) {
        Map<String, HostTensor> moments = new LinkedHashMap<>();
        group.moments().forEach((name, tensors) -> moments.put(name, checkpoint.values(tensors.get(which))));
        return moments;
    }
}
