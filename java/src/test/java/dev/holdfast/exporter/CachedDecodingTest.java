package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Operator;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.ValueInfo;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The packaged decoder of each family, in plain ONNX Runtime, against the forward graph that is held to PyTorch. */
class CachedDecodingTest {
    /** The project's target for log-probabilities; the two graphs round differently, but by far less. */
    private static final float TOLERANCE = 1e-4f;

    @TempDir
    Path directory;

    static List<String> families() {
        return GoldenFamily.names().toList();
    }

    @ParameterizedTest
    @MethodSource("families")
    void tokenByTokenTheLogitsAreThoseOfTheWholeSequence(String family) {
        GoldenFamily golden = new GoldenFamily(family, directory);
        HostTensor ids = golden.tensors().get("input_ids");
        HostTensor expected = forwardLogits(golden, ids);
        try (InferenceSession session = openPackaged(golden)) {
            for (int row = 0; row < ids.shape().dimension(0); row++) {
                Decoding decoding = new Decoding(session, golden.decoder().config(), 1);
                int length = length(ids, row);
                for (int place = 0; place < length; place++) {
                    HostTensor logits = decoding.step(
                            new long[][] {{id(ids, row, place)}}, new long[][] {{1}}, new long[][] {{place}});
                    requireEqual(expected, row, place, logits, 0, 0);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void paddingOnTheLeftOfABatchChangesNothing(String family) {
        GoldenFamily golden = new GoldenFamily(family, directory);
        HostTensor ids = golden.tensors().get("input_ids");
        HostTensor expected = forwardLogits(golden, ids);
        int rows = (int) ids.shape().dimension(0);
        int length = (int) ids.shape().dimension(1);
        int[] lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            lengths[row] = length(ids, row);
        }
        assertThat(Arrays.stream(lengths)).as("some row must need padding").anyMatch(real -> real < length);
        try (InferenceSession session = openPackaged(golden)) {
            Decoding decoding = new Decoding(session, golden.decoder().config(), rows);
            int[] chunks = {length - 4, 1, 1, 2};
            int begin = 0;
            for (int chunk : chunks) {
                long[][] tokens = new long[rows][chunk];
                long[][] mask = new long[rows][chunk];
                long[][] positions = new long[rows][chunk];
                for (int row = 0; row < rows; row++) {
                    for (int i = 0; i < chunk; i++) {
                        int place = begin + i - (length - lengths[row]);
                        tokens[row][i] = place < 0 ? 0 : id(ids, row, place);
                        mask[row][i] = place < 0 ? 0 : 1;
                        positions[row][i] = Math.max(0, place);
                    }
                }
                HostTensor logits = decoding.step(tokens, mask, positions);
                for (int row = 0; row < rows; row++) {
                    for (int i = 0; i < chunk; i++) {
                        int place = begin + i - (length - lengths[row]);
                        if (place >= 0) {
                            requireEqual(expected, row, place, logits, row, i);
                        }
                    }
                }
                begin += chunk;
            }
        }
    }

    @Test
    void theModelNeedsNoOperatorOfHoldfastAndItsWeightsBeginOnPages() throws IOException {
        GoldenFamily golden = new GoldenFamily("llama", directory);
        openPackaged(golden).close();
        Graph graph = ModelFile.read(directory.resolve(DeployableFolder.MODEL));
        assertThat(graph.nodes()).noneMatch(node -> node.operatorName().domain().equals(Operator.Domain.HOLDFAST));
        OrtCheckpoint checkpoint = OrtCheckpoint.read(golden.base());
        for (var entry : graph.initializers().entrySet()) {
            if (entry.getValue() instanceof Initializer.External external) {
                assertThat(external.location()).isEqualTo(DeployableFolder.WEIGHTS);
                assertThat(external.offset() % 4096).isZero();
                HostTensor expected =
                        checkpoint.values(checkpoint.parameter(entry.getKey().name()));
                assertThat(read(external)).isEqualTo(expected.bytes());
            }
        }
    }

    @Test
    void progressEndsWithTheWholeModel() {
        GoldenFamily golden = new GoldenFamily("gpt2", directory);
        long[] last = new long[2];
        new DecoderFiles(golden.decoder(), OrtCheckpoint.read(golden.base()), (numbers, total) -> {
                    assertThat(numbers).isGreaterThan(last[0]);
                    last[0] = numbers;
                    last[1] = total;
                })
                .write(directory);
        assertThat(last[0]).isEqualTo(last[1]).isPositive();
    }

    private ByteBuffer read(Initializer.External external) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) external.length());
        try (FileChannel channel = FileChannel.open(directory.resolve(external.location()))) {
            channel.read(bytes, external.offset());
        }
        return bytes.flip();
    }

    private InferenceSession openPackaged(GoldenFamily golden) {
        new DecoderFiles(golden.decoder(), OrtCheckpoint.read(golden.base()), (numbers, total) -> {}).write(directory);
        return InferenceSession.open(directory.resolve(DeployableFolder.MODEL), SessionSettings.defaults());
    }

    private HostTensor forwardLogits(GoldenFamily golden, HostTensor ids) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(golden.base());
        Path model = directory.resolve("forward_model.onnx");
        ModelFile.write(
                ForwardGraph.forward(ExportedModel.of(golden.decoder()), name -> StoredWeight.in(checkpoint, name)),
                model);
        try (InferenceSession session = InferenceSession.open(model, SessionSettings.defaults())) {
            return session.run(Map.of(GraphNames.INPUT_IDS, ids), List.of(GraphNames.LOGITS))
                    .get(GraphNames.LOGITS);
        }
    }

    private static long id(HostTensor ids, int row, int place) {
        return ids.longs().get(row * (int) ids.shape().dimension(1) + place);
    }

    /** Token 0 is padding and occurs nowhere else. */
    private static int length(HostTensor ids, int row) {
        int length = (int) ids.shape().dimension(1);
        while (id(ids, row, length - 1) == 0) {
            length--;
        }
        return length;
    }

    private static void requireEqual(
            HostTensor expected, int row, int place, HostTensor actual, int actualRow, int actualPlace) {
        int width = (int) expected.shape().dimension(2);
        int from = (row * (int) expected.shape().dimension(1) + place) * width;
        int actualFrom = (actualRow * (int) actual.shape().dimension(1) + actualPlace) * width;
        for (int i = 0; i < width; i++) {
            float want = expected.floats().get(from + i);
            float got = actual.floats().get(actualFrom + i);
            assertThat(Math.abs(want - got))
                    .as("row %d, place %d, token %d: expected %s, got %s", row, place, i, want, got)
                    .isLessThanOrEqualTo(TOLERANCE);
        }
    }

    /** Sequences that grow, with the cache as host tensors. */
    private static final class Decoding {
        private final InferenceSession session;
        private final Map<String, HostTensor> past = new LinkedHashMap<>();
        private final List<String> outputs;
        private final long[][] seen;

        Decoding(InferenceSession session, ModelConfig config, int rows) {
            this.session = session;
            this.outputs = session.outputs().stream().map(ValueInfo::name).toList();
            this.seen = new long[rows][0];
            Shape empty = Shape.of(rows, config.keyValueHeadCount(), 0, config.headSize());
            outputs.stream()
                    .filter(name -> name.startsWith("present."))
                    .forEach(name -> past.put(
                            name.replace("present.", "past_key_values."),
                            HostTensor.allocate(ElementType.FLOAT, empty)));
        }

        HostTensor step(long[][] ids, long[][] mask, long[][] positions) {
            for (int row = 0; row < mask.length; row++) {
                long[] longer = Arrays.copyOf(seen[row], seen[row].length + mask[row].length);
                System.arraycopy(mask[row], 0, longer, seen[row].length, mask[row].length);
                seen[row] = longer;
            }
            Map<String, HostTensor> inputs = new LinkedHashMap<>(past);
            inputs.put("input_ids", tensor(ids));
            inputs.put("attention_mask", tensor(seen));
            inputs.put("position_ids", tensor(positions));
            Map<String, HostTensor> result = session.run(inputs, outputs);
            past.replaceAll((name, old) -> result.get(name.replace("past_key_values.", "present.")));
            return result.get(GraphNames.LOGITS);
        }

        private static HostTensor tensor(long[][] rows) {
            HostTensor tensor = HostTensor.allocate(ElementType.INT64, Shape.of(rows.length, rows[0].length));
            LongBuffer values = tensor.longs();
            for (long[] row : rows) {
                values.put(row);
            }
            return tensor;
        }
    }
}
