package dev.holdfast.model;

import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Collects the parameters and linear layers of a model in order. */
final class ParameterList {
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<LinearLayer> layers = new ArrayList<>();
    private final boolean inputFirst;

    /** Whether the weights of linear layers are stored [in, out]. */
    ParameterList(boolean inputFirst) {
        this.inputFirst = inputFirst;
    }

    void vector(String name, int size) {
        parameters.add(new Parameter(name, Shape.of(size)));
    }

    void matrix(String name, int rows, int columns) {
        parameters.add(new Parameter(name, Shape.of(rows, columns)));
    }

    void linear(String name, int inputSize, int outputSize, boolean bias) {
        LinearLayer layer = new LinearLayer(name, inputSize, outputSize);
        layers.add(layer);
        matrix(layer.weight(), inputFirst ? inputSize : outputSize, inputFirst ? outputSize : inputSize);
        if (bias) {
            vector(layer.bias(), outputSize);
        }
    }

    List<Parameter> parameters() {
        return List.copyOf(parameters);
    }

    List<LinearLayer> layers() {
        return List.copyOf(layers);
    }
}
