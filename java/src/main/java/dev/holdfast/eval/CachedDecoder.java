package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GenaiConfig;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.RuntimeTensor;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
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

    /** Starts an empty sequence. */
    Sequence start() {
        return new Sequence();
    }

    @Override
    public void close() {
        session.close();
    }

    /** The tokens so far, as the keys and values that ONNX Runtime keeps of them. The caller closes it. */
    final class Sequence implements AutoCloseable {
        private final Map<String, RuntimeTensor> past = new LinkedHashMap<>();
        private int length;

        private Sequence() {
            Shape empty = Shape.of(1, names.numKeyValueHeads(), 0, names.headSize());
            pastByPresent
                    .values()
                    .forEach(name -> past.put(name, RuntimeTensor.of(HostTensor.allocate(ElementType.FLOAT, empty))));
        }

        /** Appends tokens. */
        void append(int... ids) {
            advance(ids, false);
        }

        /**
         * Appends tokens.
         *
         * @return what the model expects after each of them: logits, FLOAT[1, tokens, V]
         */
        HostTensor appendAndPredict(int... ids) {
            return advance(ids, true).orElseThrow();
        }

        private Optional<HostTensor> advance(int[] ids, boolean withLogits) {
            Set<String> wanted = new LinkedHashSet<>(pastByPresent.keySet());
            if (withLogits) {
                wanted.add(names.outputs().logits());
            }
            Map<String, RuntimeTensor> outputs = run(ids, wanted);
            pastByPresent.forEach(
                    (present, name) -> past.put(name, outputs.get(present)).close());
            length += ids.length;
            if (!withLogits) {
                return Optional.empty();
            }
            try (RuntimeTensor logits = outputs.get(names.outputs().logits())) {
                return Optional.of(logits.toHost());
            }
        }

        private Map<String, RuntimeTensor> run(int[] ids, Set<String> wanted) {
            Map<String, RuntimeTensor> tokens = tokens(ids);
            try {
                Map<String, RuntimeTensor> inputs = new LinkedHashMap<>(past);
                inputs.putAll(tokens);
                return session.runKeeping(inputs, wanted);
            } finally {
                tokens.values().forEach(RuntimeTensor::close);
            }
        }

        private Map<String, RuntimeTensor> tokens(int[] ids) {
            long[] positions = new long[ids.length];
            Arrays.setAll(positions, i -> length + i);
            long[] mask = new long[length + ids.length];
            Arrays.fill(mask, 1);
            Map<String, RuntimeTensor> tokens = new LinkedHashMap<>();
            tokens.put(
                    names.inputs().inputIds(),
                    row(Arrays.stream(ids).asLongStream().toArray()));
            tokens.put(names.inputs().attentionMask(), row(mask));
            tokens.put(names.inputs().positionIds(), row(positions));
            return tokens;
        }

        private static RuntimeTensor row(long[] values) {
            return RuntimeTensor.of(HostTensor.ofLongs(values, 1, values.length));
        }

        @Override
        public void close() {
            past.values().forEach(RuntimeTensor::close);
        }
    }
}
