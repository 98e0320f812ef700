package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.runtime.SessionSettings;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/**
 * A model as scores need it: the logits that predict the response tokens of a row.
 *
 * <p>Ownership: the caller closes it.
 */
sealed interface ResponseLogits extends AutoCloseable permits CheckpointLogits, PackagedLogits {
    /** Takes the logits of one response token. */
    @FunctionalInterface
    interface Visitor {
        /** The logits that predict the token at an index of the row, FLOAT[V], readable during the call. */
        void visit(int index, FloatBuffer logits);
    }

    /** Opens a packaged model, an artifact, a run or a checkpoint, after a check that its files are as they were written. */
    static ResponseLogits open(Path model, SessionSettings settings) {
        return DeployableFolder.isDeployable(model)
                ? new PackagedLogits(DeployableFolder.open(model), settings)
                : CheckpointLogits.open(ModelFolder.open(model), settings);
    }

    /** The folder of the tokenizer. */
    Path tokenizer();

    /** V. */
    int vocabularySize();

    /** The longest sequence, in tokens. */
    int maximumPositions();

    /**
     * Visits the response tokens of a row, in order.
     *
     * @param ids all tokens before the last response token; at least 1, fewer than {@link #maximumPositions()}
     * @param indices the indices of the response tokens, ascending, at least one, the first at least 1, the last the length of ids
     */
    void visit(int[] ids, int[] indices, Visitor visitor);

    @Override
    void close();
}
