package dev.holdfast.weights;

import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/** The parameters of a checkpoint, whose files are opened for each read. */
final class CheckpointWeights implements WeightSource {
    private final OrtCheckpoint checkpoint;
    private final List<String> names;

    CheckpointWeights(OrtCheckpoint checkpoint, Map<String, CheckpointTensor> parameters) {
        this.checkpoint = checkpoint;
        this.names = List.copyOf(parameters.keySet());
    }

    @Override
    public List<String> names() {
        return names;
    }

    @Override
    public WeightInfo info(String name) {
        CheckpointTensor parameter = checkpoint.parameter(name);
        return new WeightInfo(name, parameter.elementType().name(), parameter.shape());
    }

    @Override
    public HostTensor readFloat(String name) {
        CheckpointTensor parameter = checkpoint.parameter(name);
        ElementType type = parameter.elementType();
        if (!type.isFloatingPoint() || type == ElementType.DOUBLE) {
            throw new UnsupportedModelException(
                    checkpoint.path() + ": parameter " + name + ": expected FLOAT, FLOAT16 or BFLOAT16, got " + type);
        }
        return HalfPrecision.toFloat(checkpoint.values(parameter));
    }

    @Override
    public void close() {
        // Files are open only while a tensor is read.
    }
}
