package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.data.Batch;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A model that is not trained, in memory: it runs for every batch. */
final class FrozenModel implements Teacher {
    private final InferenceSession session;
    private final HostTensor head;

    private FrozenModel(InferenceSession session, HostTensor head) {
        this.session = session;
        this.head = head;
    }

    /**
     * Opens a model.
     *
     * @param name how messages call it
     * @param model the bytes of a graph from {@code input_ids} and {@code response_positions} to {@code hidden_states}
     * @param externalData the folder that the places of its weights are relative to
     */
    static FrozenModel open(String name, byte[] model, Path externalData, HostTensor head, SessionSettings settings) {
        return new FrozenModel(
                InferenceSession.open(name, model, externalData, settings.withHoldfastOperators()), head);
    }

    @Override
    public HostTensor hidden(Batch batch) {
        Map<String, HostTensor> inputs = Map.of(
                GraphNames.INPUT_IDS, batch.inputIds(),
                GraphNames.RESPONSE_POSITIONS, batch.responsePositions());
        return session.run(inputs, List.of(GraphNames.HIDDEN_STATES)).get(GraphNames.HIDDEN_STATES);
    }

    @Override
    public HostTensor head() {
        return head;
    }

    @Override
    public void close() {
        session.close();
    }
}
