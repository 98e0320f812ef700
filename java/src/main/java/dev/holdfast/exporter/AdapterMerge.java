package dev.holdfast.exporter;

import dev.holdfast.model.Decoder;
import dev.holdfast.model.LinearLayer;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.LoraConfig;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PeftAdapter;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Adds adapters to the weights of their layers, W + scale·B·A, so that a model without adapters computes the same. */
final class AdapterMerge {
    private final LowRankAdapters adapters;
    private final boolean inputFirst;
    private final Function<String, HostTensor> values;

    private AdapterMerge(LowRankAdapters adapters, boolean inputFirst, Function<String, HostTensor> values) {
        this.adapters = adapters;
        this.inputFirst = inputFirst;
        this.values = values;
    }

    /** Merges an adapter of PEFT. */
    static AdapterMerge of(PeftAdapter stored, Decoder decoder) {
        LowRankAdapters adapters = AdapterValues.adapters(stored, decoder);
        Map<String, HostTensor> values = new HashMap<>();
        adapters.parameters()
                .forEach(parameter -> values.put(parameter.name(), stored.value(parameter.name(), parameter.shape())));
        return new AdapterMerge(adapters, decoder.storesInputFirst(), values::get);
    }

    /** Merges the adapters of a checkpoint. */
    static AdapterMerge of(OrtCheckpoint checkpoint, LowRankAdapters adapters, Decoder decoder) {
        return new AdapterMerge(
                adapters, decoder.storesInputFirst(), name -> checkpoint.values(checkpoint.parameter(name)));
    }

    /** Whether a parameter is the weight of a layer that has an adapter. */
    boolean changes(String parameter) {
        return adapters.ofWeight(parameter).isPresent();
    }

    /** Adds to a parameter, in place, what its layer's adapter has for it: nothing to one that is no adapted layer's weight. */
    HostTensor addTo(String parameter, HostTensor weight) {
        adapters.ofWeight(parameter).ifPresent(layer -> add(layer, weight.floats()));
        return weight;
    }

    private void add(LinearLayer layer, FloatBuffer weight) {
        int rank = adapters.config().r();
        float[] down = values.apply(LoraConfig.down(layer.name())).toFloatArray();
        float[] up = scaledUp(layer);
        // Rows of the weight as it is stored, from the factor that has a row for each of them.
        float[] left = inputFirst ? transposed(down, rank, layer.inputSize()) : up;
        float[] right = inputFirst ? transposed(up, layer.outputSize(), rank) : down;
        int rows = left.length / rank;
        int columns = right.length / rank;
        IntStream.range(0, rows).parallel().forEach(row -> addRow(row, columns, rank, left, right, weight));
    }

    private float[] scaledUp(LinearLayer layer) {
        float[] up = values.apply(LoraConfig.up(layer.name())).toFloatArray();
        float scale = (float) adapters.config().scale();
        for (int i = 0; i < up.length; i++) {
            up[i] *= scale;
        }
        return up;
    }

    private static void addRow(int row, int columns, int rank, float[] left, float[] right, FloatBuffer weight) {
        float[] sums = new float[columns];
        for (int i = 0; i < rank; i++) {
            float factor = left[row * rank + i];
            for (int column = 0; column < columns; column++) {
                sums[column] += factor * right[i * columns + column];
            }
        }
        FloatBuffer target = weight.slice(row * columns, columns);
        for (int column = 0; column < columns; column++) {
            target.put(column, target.get(column) + sums[column]);
        }
    }

    private static float[] transposed(float[] matrix, int rows, int columns) {
        float[] result = new float[matrix.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                result[column * rows + row] = matrix[row * columns + column];
            }
        }
        return result;
    }
}
