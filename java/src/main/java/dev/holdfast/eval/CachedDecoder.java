package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GenaiConfig;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.RuntimeTensor;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A packaged decoder.
 *
 * <p>Ownership: the caller closes it, after the sequences that it started. Thread safety: several threads may each advance a sequence.
 */
final class CachedDecoder implements AutoCloseable {
    private final InferenceSession session;
    private final GenaiConfig.Decoder names;
    private final Map<String, String> pastByPresent = new LinkedHashMap<>();

    private CachedDecoder(InferenceSession session, GenaiConfig.Decoder names) {
        this.session = session;
        this.names = names;
        for (int layer = 0; layer < names.numHiddenLayers(); layer++) {
            pastByPresent.put(
                    of(names.outputs().presentKeyNames(), layer),
                    of(names.inputs().pastKeyNames(), layer));
            pastByPresent.put(
                    of(names.outputs().presentValueNames(), layer),
                    of(names.inputs().pastValueNames(), layer));
        }
    }

    static CachedDecoder open(DeployableFolder folder, SessionSettings settings) {
        return new CachedDecoder(
                InferenceSession.open(folder.model(), folder.adapter(), settings),
                folder.config().model().decoder());
    }

    private static String of(String pattern, int layer) {
        return pattern.replace("%d", Integer.toString(layer));
    }

    /** Starts empty sequences, which advance together. */
    Batch start(int rows) {
        return new Batch(rows);
    }

    @Override
    public void close() {
        session.close();
    }

    /** The tokens of some sequences so far, as the keys and values that ONNX Runtime keeps of them. The caller closes it. */
    final class Batch implements AutoCloseable {
        /** Stands for a token that a sequence lacks where others have one; nothing ever sees it. */
        static final int PADDING = -1;

        private final Map<String, RuntimeTensor> past = new LinkedHashMap<>();
        private long[][] mask;

        private Batch(int rows) {
            mask = new long[rows][0];
            Shape empty = Shape.of(rows, names.numKeyValueHeads(), 0, names.headSize());
            pastByPresent
                    .values()
                    .forEach(name -> past.put(name, RuntimeTensor.of(HostTensor.allocate(ElementType.FLOAT, empty))));
        }

        /** Appends equally many tokens to each sequence. */
        void append(int[]... tokens) {
            advance(tokens, false);
        }

        /**
         * Appends equally many tokens to each sequence.
         *
         * @return what the model expects after each of them: logits, FLOAT[rows, tokens, V]
         */
        HostTensor appendAndPredict(int[]... tokens) {
            return advance(tokens, true).orElseThrow();
        }

        private Optional<HostTensor> advance(int[][] tokens, boolean withLogits) {
            Set<String> wanted = new LinkedHashSet<>(pastByPresent.keySet());
            if (withLogits) {
                wanted.add(names.outputs().logits());
            }
            long[][] longer = longerMask(tokens);
            Map<String, RuntimeTensor> outputs = run(tokens, longer, wanted);
            mask = longer;
            pastByPresent.forEach(
                    (present, name) -> past.put(name, outputs.get(present)).close());
            if (!withLogits) {
                return Optional.empty();
            }
            try (RuntimeTensor logits = outputs.get(names.outputs().logits())) {
                return Optional.of(logits.toHost());
            }
        }

        private long[][] longerMask(int[][] tokens) {
            long[][] longer = new long[mask.length][];
            for (int row = 0; row < mask.length; row++) {
                int seen = mask[row].length;
                longer[row] = Arrays.copyOf(mask[row], seen + tokens[row].length);
                for (int i = 0; i < tokens[row].length; i++) {
                    longer[row][seen + i] = tokens[row][i] == PADDING ? 0 : 1;
                }
            }
            return longer;
        }

        private Map<String, RuntimeTensor> run(int[][] tokens, long[][] longer, Set<String> wanted) {
            Map<String, RuntimeTensor> given = new LinkedHashMap<>();
            try {
                given.put(names.inputs().inputIds(), tensor(ids(tokens)));
                given.put(names.inputs().attentionMask(), tensor(longer));
                given.put(names.inputs().positionIds(), tensor(positions(longer)));
                Map<String, RuntimeTensor> inputs = new LinkedHashMap<>(past);
                inputs.putAll(given);
                return session.runKeeping(inputs, wanted);
            } finally {
                given.values().forEach(RuntimeTensor::close);
            }
        }

        private static long[][] ids(int[][] tokens) {
            return Arrays.stream(tokens)
                    .map(row ->
                            Arrays.stream(row).mapToLong(id -> Math.max(0, id)).toArray())
                    .toArray(long[][]::new);
        }

        /** The place of each new token among the tokens of its sequence that are no padding. */
        private long[][] positions(long[][] longer) {
            long[][] positions = new long[longer.length][];
            for (int row = 0; row < longer.length; row++) {
                int seen = mask[row].length;
                positions[row] = new long[longer[row].length - seen];
                long place = Arrays.stream(mask[row]).sum();
                for (int i = 0; i < positions[row].length; i++) {
                    positions[row][i] = place;
                    place += longer[row][seen + i];
                }
            }
            return positions;
        }

        private static RuntimeTensor tensor(long[][] rows) {
            HostTensor tensor = HostTensor.allocate(ElementType.INT64, Shape.of(rows.length, rows[0].length));
            LongBuffer values = tensor.longs();
            for (long[] row : rows) {
                values.put(row);
            }
            return RuntimeTensor.of(tensor);
        }

        /** Goes on with these of the sequences alone, in this order. */
        void keep(int[] rows) {
            past.replaceAll((name, tensor) -> {
                try (tensor) {
                    return RuntimeTensor.of(selected(tensor.toHost(), rows));
                }
            });
            mask = Arrays.stream(rows).mapToObj(row -> mask[row]).toArray(long[][]::new);
        }

        private static HostTensor selected(HostTensor all, int[] rows) {
            Shape shape = all.shape();
            HostTensor part = HostTensor.allocate(
                    ElementType.FLOAT,
                    Shape.of(rows.length, shape.dimension(1), shape.dimension(2), shape.dimension(3)));
            int width = (int) (all.elementCount() / shape.dimension(0));
            FloatBuffer values = part.floats();
            for (int row : rows) {
                values.put(all.floats().slice(row * width, width));
            }
            return part;
        }

        @Override
        public void close() {
            past.values().forEach(RuntimeTensor::close);
        }
    }
}
