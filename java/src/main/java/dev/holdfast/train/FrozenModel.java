package dev.holdfast.train;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.data.Batch;
import dev.holdfast.onnx.ProductSubstitution;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model that is not trained, seen as the loss sees it: hidden states at response positions, and the head that they are multiplied with.
 *
 * <p>Ownership: the caller closes it.
 */
final class FrozenModel implements AutoCloseable {
    private final InferenceSession session;
    private final HostTensor head;

    private FrozenModel(InferenceSession session, HostTensor head) {
        this.session = session;
        this.head = head;
    }

    static FrozenModel open(ModelFolder folder, FrozenHeads heads, SessionSettings settings) {
        HostTensor head = heads.of(folder);
        Path model = folder.hiddenModel();
        return new FrozenModel(
                InferenceSession.open(
                        model.toString(),
                        ProductSubstitution.of(model),
                        folder.path(),
                        settings.withHoldfastOperators()),
                head);
    }

    /** Hidden states that predict the batch's response tokens, FLOAT[N, hiddenSize]. */
    HostTensor hidden(Batch batch) {
        Map<String, HostTensor> inputs = Map.of(
                GraphNames.INPUT_IDS, batch.inputIds(),
                GraphNames.RESPONSE_POSITIONS, batch.responsePositions());
        return session.run(inputs, List.of(GraphNames.HIDDEN_STATES)).get(GraphNames.HIDDEN_STATES);
    }

    /** The head, FLOAT[vocabularySize, hiddenSize]. */
    HostTensor head() {
        return head;
    }

    @Override
    public void close() {
        session.close();
    }
}
