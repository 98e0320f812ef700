package dev.holdfast.exporter;

import dev.holdfast.artifact.CheckpointBinding;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.weights.OrtCheckpoint;

/**
 * Where a graph finds a weight.
 *
 * @param elementType as it is stored
 * @param place in a file beside the graph
 */
record StoredWeight(ElementType elementType, Initializer.External place) {
    /** A weight of a checkpoint beside the graph. */
    static StoredWeight in(OrtCheckpoint checkpoint, String parameter) {
        return new StoredWeight(
                checkpoint.parameter(parameter).elementType(), CheckpointBinding.locate(checkpoint, parameter));
    }

    /** Adds the weight to a graph. */
    Value addTo(Graph graph, Parameter parameter) {
        return graph.initializer(parameter.name(), TensorType.of(elementType, parameter.shape()), place);
    }
}
