package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an ONNX Runtime on-device-training checkpoint holds, without the tensors' values; made by {@link CheckpointWriter} or by ONNX
 * Runtime.
 *
 * <p>Ownership: keeps no file open. Thread safety: immutable.
 */
public final class OrtCheckpoint {
    private final Path path;
    private final List<CheckpointTensor> trainable;
    private final List<CheckpointTensor> frozen;
    private final List<OptimizerGroup<CheckpointTensor>> optimizerGroups;
    private final Map<String, Object> properties;
    private final Map<String, CheckpointTensor> parameters = new LinkedHashMap<>();

    OrtCheckpoint(
            Path path,
            List<CheckpointTensor> trainable,
            List<CheckpointTensor> frozen,
            List<OptimizerGroup<CheckpointTensor>> optimizerGroups,
            Map<String, Object> properties) {
        this.path = path;
        this.trainable = trainable;
        this.frozen = frozen;
        this.optimizerGroups = optimizerGroups;
        this.properties = Collections.unmodifiableMap(properties);
        trainable.forEach(tensor -> parameters.put(tensor.name(), tensor));
        frozen.forEach(tensor -> parameters.put(tensor.name(), tensor));
    }

    /**
     * Reads everything but the tensors' values.
     *
     * @throws dev.holdfast.error.FileAccessException if the file cannot be read
     * @throws dev.holdfast.error.MalformedFileException if it is truncated, corrupt or no checkpoint of version 2
     * @throws dev.holdfast.error.UnsupportedModelException if a tensor is not numeric
     */
    public static OrtCheckpoint read(Path path) {
        try (InputFile file = InputFile.open(path)) {
            return CheckpointReader.read(file);
        }
    }

    /** This checkpoint with the parameters of another besides its own, all of them frozen. */
    public OrtCheckpoint over(OrtCheckpoint base) {
        List<CheckpointTensor> all = new ArrayList<>(frozen);
        all.addAll(base.parameters.values());
        return new OrtCheckpoint(path, trainable, List.copyOf(all), optimizerGroups, properties);
    }

    /** The file that holds the bytes of a checkpoint's parameters: beside a checkpoint over 2 GiB, otherwise the checkpoint itself. */
    public static Path weightsFile(Path checkpoint) {
        Path data = CheckpointFormat.dataPath(checkpoint);
        return Files.exists(data) ? data : checkpoint;
    }

    /** Where a checkpoint over 2 GiB keeps the bytes of its parameters. */
    public static Path dataPath(Path checkpoint) {
        return CheckpointFormat.dataPath(checkpoint);
    }

    /** Where the checkpoint is. */
    public Path path() {
        return path;
    }

    /** The parameters that are trained, in the order of the file. */
    public List<CheckpointTensor> trainable() {
        return trainable;
    }

    /** The parameters that are not trained, in the order of the file. */
    public List<CheckpointTensor> frozen() {
        return frozen;
    }

    /**
     * A parameter, trainable or frozen.
     *
     * @throws MalformedFileException if the checkpoint holds no such parameter
     */
    public CheckpointTensor parameter(String name) {
        CheckpointTensor parameter = parameters.get(name);
        if (parameter == null) {
            throw MalformedFileException.of(
                    path,
                    "parameter " + name + ": expected in the checkpoint, got none; does it belong to this model?");
        }
        return parameter;
    }

    /** The optimizer's state; empty before the first step. */
    public List<OptimizerGroup<CheckpointTensor>> optimizerGroups() {
        return optimizerGroups;
    }

    /** Named values that were kept with the checkpoint: {@link Long}, {@link Float} or {@link String}. */
    public Map<String, Object> properties() {
        return properties;
    }

    /** The values of a tensor of this checkpoint, copied. */
    public HostTensor values(CheckpointTensor tensor) {
        HostTensor result = HostTensor.allocate(tensor.elementType(), tensor.shape());
        try (InputFile file = InputFile.open(tensor.file())) {
            file.read(tensor.offset(), result.bytes());
        }
        return result;
    }

    /** The parameters as a source of weights, trainable ones first; the caller closes it. */
    public WeightSource weights() {
        return new CheckpointWeights(this, parameters);
    }
}
