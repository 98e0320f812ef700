package dev.holdfast.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Measures the matrix product of training graphs on two large square FLOAT matrices: the rate that a step of training cannot exceed. */
public final class MatrixProductBenchmark {
    private static final String PRODUCT = "product";
    private static final int SIZE = 3072;
    private static final int RUNS = 7;
    private static final double OPERATIONS = 2.0 * SIZE * SIZE * SIZE;

    private MatrixProductBenchmark() {}

    /**
     * Rates in 10⁹ floating-point operations a second; a product of n × n matrices has 2n³.
     *
     * @param size n
     * @param median of the runs after the first
     * @param best of the runs after the first
     */
    public record Rate(
            int size, @JsonProperty("median_gflops") double median, @JsonProperty("best_gflops") double best) {}

    /**
     * Runs the product.
     *
     * @throws dev.holdfast.error.RuntimeFailureException if ONNX Runtime fails
     */
    public static Rate run(SessionSettings settings) {
        Map<String, HostTensor> inputs = Map.of("a", matrix(1), "b", matrix(2));
        List<Double> rates = new ArrayList<>();
        try (InferenceSession session = InferenceSession.open(
                PRODUCT, ModelFile.toBytes(product()), Path.of("."), settings.withHoldfastOperators())) {
            session.run(inputs, List.of(PRODUCT));
            for (int run = 1; run < RUNS; run++) {
                long started = System.nanoTime();
                session.run(inputs, List.of(PRODUCT));
                rates.add(OPERATIONS / (System.nanoTime() - started));
            }
        }
        return new Rate(SIZE, Median.of(rates), Collections.max(rates));
    }

    private static Graph product() {
        Graph graph = new Graph("squares");
        TensorType square = TensorType.of(ElementType.FLOAT, SIZE, SIZE);
        List<Value> operands = List.of(graph.input("a", square), graph.input("b", square));
        graph.output(graph.add(Operator.MATRIX_PRODUCT, operands, Attributes.NONE, List.of(PRODUCT))
                .output());
        return graph;
    }

    private static HostTensor matrix(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[SIZE * SIZE];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return HostTensor.ofFloats(values, SIZE, SIZE);
    }
}
