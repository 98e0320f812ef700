package dev.holdfast.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Tensors of a golden safetensors file, integers and doubles included, and comparisons that name the first difference. */
public final class GoldenTensors {
    private static final Map<String, ElementType> TYPES = Map.of(
            "F32", ElementType.FLOAT, "F64", ElementType.DOUBLE, "I64", ElementType.INT64, "I32", ElementType.INT32);

    private final Path file;
    private final Map<String, HostTensor> tensors = new LinkedHashMap<>();

    private GoldenTensors(Path file) {
        this.file = file;
    }

    /** Reads a whole file. */
    public static GoldenTensors read(Path file) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int headerLength = (int) bytes.getLong(0);
            JsonNode header = new ObjectMapper().readTree(bytes.array(), 8, headerLength);
            GoldenTensors golden = new GoldenTensors(file);
            header.fields().forEachRemaining(entry -> {
                if (!entry.getKey().equals("__metadata__")) {
                    golden.tensors.put(entry.getKey(), tensor(entry.getValue(), bytes, 8 + headerLength));
                }
            });
            return golden;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HostTensor tensor(JsonNode entry, ByteBuffer bytes, int base) {
        long[] dimensions = new long[entry.get("shape").size()];
        for (int i = 0; i < dimensions.length; i++) {
            dimensions[i] = entry.get("shape").get(i).asLong();
        }
        int begin = base + entry.get("data_offsets").get(0).asInt();
        int end = base + entry.get("data_offsets").get(1).asInt();
        HostTensor tensor = HostTensor.allocate(TYPES.get(entry.get("dtype").asText()), Shape.of(dimensions));
        tensor.bytes().put(bytes.duplicate().limit(end).position(begin));
        return tensor;
    }

    /** The names of all tensors. */
    public Set<String> names() {
        return tensors.keySet();
    }

    /** A tensor of any type. */
    public HostTensor get(String name) {
        HostTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new AssertionError(file + ": has no tensor " + name);
        }
        return tensor;
    }

    /** The values of a FLOAT or DOUBLE tensor as doubles. */
    public double[] doubles(String name) {
        HostTensor tensor = get(name);
        double[] values = new double[tensor.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.elementType() == ElementType.DOUBLE
                    ? tensor.bytes().asDoubleBuffer().get(i)
                    : tensor.floats().get(i);
        }
        return values;
    }

    /** Fails, naming index, expectation and result, where a FLOAT tensor differs by more than an absolute tolerance. */
    public void requireClose(String name, HostTensor actual, double tolerance) {
        double[] expected = doubles(name);
        if (!get(name).shape().equals(actual.shape())) {
            throw new AssertionError(name + ": expected shape " + get(name).shape() + ", got " + actual.shape());
        }
        for (int i = 0; i < expected.length; i++) {
            float got = actual.floats().get(i);
            if (!(Math.abs(expected[i] - got) <= tolerance)) {
                throw new AssertionError(
                        name + "[" + i + "]: expected " + expected[i] + ", got " + got + ", tolerance " + tolerance);
            }
        }
    }

    /** As {@link #requireClose}, but rows of zeros in the expectation stand for padding, of which nothing is expected. */
    public void requireCloseInRealRows(String name, HostTensor actual, double tolerance) {
        double[] expected = doubles(name);
        int width = (int) actual.shape().dimension(-1);
        for (int row = 0; row < expected.length / width; row++) {
            boolean real =
                    Arrays.stream(expected, row * width, (row + 1) * width).anyMatch(value -> value != 0);
            for (int i = row * width; real && i < (row + 1) * width; i++) {
                float got = actual.floats().get(i);
                if (!(Math.abs(expected[i] - got) <= tolerance)) {
                    throw new AssertionError(name + "[" + i + "]: expected " + expected[i] + ", got " + got
                            + ", tolerance " + tolerance);
                }
            }
        }
    }

    /** Fails where the Euclidean distance to a FLOAT tensor exceeds a share of the expectation's norm. */
    public void requireCloseInNorm(String name, HostTensor actual, double relative) {
        double[] expected = doubles(name);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(expected[i] - actual.floats().get(i), 2);
            norm += expected[i] * expected[i];
        }
        if (!(Math.sqrt(difference) <= relative * Math.sqrt(norm))) {
            throw new AssertionError(name + ": expected a relative distance of at most " + relative + ", got "
                    + Math.sqrt(difference / norm));
        }
    }
}
