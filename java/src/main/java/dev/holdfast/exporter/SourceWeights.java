package dev.holdfast.exporter;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.model.Parameter;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.PendingTensor;
import dev.holdfast.weights.WeightSource;
import java.nio.file.Path;

/** The weights of a source under the names that the model has for them, checked against the shapes that the configuration implies. */
final class SourceWeights {
    private final Path path;
    private final WeightSource weights;

    SourceWeights(Path path, WeightSource weights) {
        this.path = path;
        this.weights = weights;
    }

    /**
     * A parameter that is read when it is written.
     *
     * @throws InvalidInputException if the source lacks it or its shape contradicts the configuration
     */
    PendingTensor pending(Parameter parameter) {
        String stored = storedName(parameter);
        Shape shape = weights.info(stored).shape();
        if (!shape.equals(parameter.shape())) {
            throw new InvalidInputException(path + ": parameter " + stored + ": config.json implies shape "
                    + parameter.shape() + ", got " + shape + "; weights and config.json must be of the same model");
        }
        return new PendingTensor(parameter.name(), ElementType.FLOAT, parameter.shape(), () -> read(stored));
    }

    private HostTensor read(String stored) {
        return weights.readFloat(stored);
    }

    /** Checkpoints of a bare model, without its head, lack the first part of every name. */
    private String storedName(Parameter parameter) {
        String name = parameter.name();
        String bare = name.substring(name.indexOf('.') + 1);
        if (weights.contains(name)) {
            return name;
        }
        if (weights.contains(bare)) {
            return bare;
        }
        throw new InvalidInputException(
                path + ": parameter " + name + ": expected in the weights, got none; is config.json of another model?");
    }
}
