package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.data.Batch;
import dev.holdfast.onnx.ProductSubstitution;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.OrtCheckpoint;
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

    static FrozenModel open(ModelFolder folder, SessionSettings settings) {
        Path model = folder.hiddenModel();
        return new FrozenModel(
                InferenceSession.open(
                        model.toString(),
                        ProductSubstitution.of(model),
                        folder.path(),
                        settings.withHoldfastOperators()),
                headOf(folder));
    }

    /** The head of a model, FLOAT[vocabularySize, hiddenSize]. */
    static HostTensor headOf(ModelFolder folder) {
        OrtCheckpoint checkpoint = folder.checkpoint();
        return checkpoint.values(checkpoint.parameter(folder.model().head()));
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
