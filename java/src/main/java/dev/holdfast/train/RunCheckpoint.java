package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.CheckpointBinding;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.StagedDirectory;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.OptimizerGroup;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PendingTensor;
import java.nio.file.Path;

/**
 * Writes a checkpoint of a run: weights and optimizer state as ONNX Runtime has them, with the graphs beside it that run the weights as
 * they are.
 */
final class RunCheckpoint {
    private RunCheckpoint() {}

    /**
     * Writes the folder whole or not at all.
     *
     * @param target a folder that does not exist yet
     * @param port the parameters in training
     * @param optimizer their moments
     */
    static void write(Path target, ArtifactDirectory artifact, GradientPort port, AdamW optimizer) {
        try (StagedDirectory staged = StagedDirectory.forNew(target)) {
            Path file = staged.path().resolve(ArtifactDirectory.CHECKPOINT);
            CheckpointWriter writer = new CheckpointWriter();
            port.parameters().forEach((name, tensor) -> writer.trainable(PendingTensor.of(name, tensor)));
            writer.optimizerGroup(optimizer.state());
            writer.write(file);
            OrtCheckpoint checkpoint = OrtCheckpoint.read(file);
            rebind(artifact.forwardModel(), checkpoint, staged.path());
            rebind(artifact.hiddenModel(), checkpoint, staged.path());
            JsonFiles.write(staged.path().resolve(ModelFolder.MODEL), artifact.manifest().model());
            staged.commit();
        }
    }

    private static void rebind(Path model, OrtCheckpoint checkpoint, Path folder) {
        CheckpointBinding.rebind(model, checkpoint, folder.resolve(model.getFileName()));
    }
}
