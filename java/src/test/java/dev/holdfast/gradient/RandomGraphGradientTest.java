package dev.holdfast.gradient;

import static dev.holdfast.gradient.GradientCase.outputs;

import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.SessionSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random graphs in which values are used again and again: what the walk adds up, and what rules take over from each other, in orders
 * that nobody thought of.
 */
class RandomGraphGradientTest {
    private static final int WIDTH = 4;
    private static final int NODES = 14;

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void gradientsAgreeWithDifferences(long seed) {
        new GradientCheck(
                        graph -> build(graph, new Random(seed)),
                        seed,
                        SessionSettings.defaults().withIntraOpThreads(1))
                .check(Kernels.STOCK, seed % 2 == 0);
    }

    private static List<Value> build(GradientCase graph, Random random) {
        List<Value> values = new ArrayList<>(List.of(graph.variable("x", "N", WIDTH), graph.variable("y", "N", WIDTH)));
        Value square = graph.variable("square", WIDTH, WIDTH);
        Value row = graph.variableIn(0.5f, 1, "row", WIDTH);
        for (int i = 0; i < NODES; i++) {
            Value one = values.get(random.nextInt(values.size()));
            Value other = values.get(random.nextInt(values.size()));
            values.add(tamed(graph.operators(), next(graph.operators(), random.nextInt(12), one, other, square, row)));
        }
        values.add(graph.operators().mul(values.get(0), values.get(1)));
        values.add(graph.operators().mul(square, row));
        return outputs(values.subList(values.size() - 4, values.size()).toArray(Value[]::new));
    }

    /** Keeps values near size 1, so that the derivatives of high order, which differences suffer from, stay small. */
    private static Value tamed(Operators operators, Value value) {
        return operators.mul(value, operators.floatScalar(0.5f));
    }

    private static Value next(Operators operators, int choice, Value one, Value other, Value square, Value row) {
        return switch (choice) {
            case 0 -> operators.add(one, other);
            case 1 -> operators.sub(one, other);
            case 2 -> operators.mul(one, other);
            case 3 -> operators.gemm(one, false, square, true, row);
            case 4 -> operators.gemm(one, false, square, false, other);
            case 5 -> operators.matMul(one, square);
            case 6 -> operators.layerNorm(one, row, row, 0.5f);
            case 7 -> operators.rmsNorm(one, row, 0.5f);
            case 8 -> operators.softmax(one);
            case 9 -> operators.concat(
                    1,
                    operators.split(one, 1, 1, WIDTH - 1).get(1),
                    operators.split(other, 1, 1, WIDTH - 1).get(0));
            case 10 -> operators.silu(one);
            default -> operators.transpose(
                    operators.mul(operators.transpose(one, 1, 0), operators.transpose(other, 1, 0)), 1, 0);
        };
    }
}
