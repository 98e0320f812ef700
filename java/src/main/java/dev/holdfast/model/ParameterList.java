package dev.holdfast.model;

import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** Collects the parameters of a model in order. */
final class ParameterList {
    private final List<Parameter> parameters = new ArrayList<>();

    void vector(String name, int size) {
        parameters.add(new Parameter(name, Shape.of(size)));
    }

    void matrix(String name, int rows, int columns) {
        parameters.add(new Parameter(name, Shape.of(rows, columns)));
    }

    /** A weight [rows, columns] and its bias [biasSize], where there is one. */
    void linear(String name, int rows, int columns, int biasSize) {
        matrix(name + ".weight", rows, columns);
        if (biasSize > 0) {
            vector(name + ".bias", biasSize);
        }
    }

    List<Parameter> list() {
        return List.copyOf(parameters);
    }
}
