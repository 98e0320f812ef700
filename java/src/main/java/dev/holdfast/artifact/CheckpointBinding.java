package dev.holdfast.artifact;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Value;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;

/**
 * Points the weights of a forward graph into a checkpoint file, as ONNX external data, so that weights are stored once and every
 * checkpoint can be run as it is.
 */
public final class CheckpointBinding {
    private CheckpointBinding() {}

    /**
     * Where a parameter lies, for a model file in the checkpoint's folder.
     *
     * @throws MalformedFileException if the checkpoint has no such parameter
     */
    public static Initializer.External locate(OrtCheckpoint checkpoint, String parameter) {
        CheckpointTensor tensor = checkpoint.parameter(parameter);
        return new Initializer.External(tensor.file().getFileName().toString(), tensor.offset(), tensor.sizeBytes());
    }

    /**
     * Writes a model file beside a checkpoint that computes as another one does, with the checkpoint's weights.
     *
     * @param model a model file whose weights are external data
     * @param checkpoint a checkpoint that holds parameters of the same names and shapes
     * @param target the file to write, in the checkpoint's folder
     * @return the file's size and digest
     * @throws MalformedFileException if a parameter is missing or of another shape
     */
    public static FileDigest rebind(Path model, OrtCheckpoint checkpoint, Path target) {
        Graph bound = ModelFile.read(model)
                .withInitializers((value, initializer) ->
                        initializer instanceof Initializer.External ? checkedLocation(checkpoint, value) : initializer);
        return ModelFile.write(bound, target);
    }

    private static Initializer checkedLocation(OrtCheckpoint checkpoint, Value value) {
        CheckpointTensor tensor = checkpoint.parameter(value.name());
        if (!tensor.shape().equals(value.type().shape())) {
            throw MalformedFileException.of(
                    checkpoint.path(),
                    "parameter " + value.name() + ": expected shape "
                            + value.type().shape() + ", got " + tensor.shape());
        }
        return locate(checkpoint, value.name());
    }
}
