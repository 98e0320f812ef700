package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.runtime.SessionSettings;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

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
        if (DeployableFolder.isDeployable(model)) {
            return new PackagedLogits(DeployableFolder.open(model), settings);
        }
        return ofNewest(model, path -> CheckpointLogits.open(ModelFolder.open(path), settings));
    }

    /** Once more where a run under way has removed its newest checkpoint while it was opened: there is a newer one then. */
    static <T> T ofNewest(Path model, Function<Path, T> open) {
        Optional<Path> newest = ModelFolder.latestCheckpoint(model);
        try {
            return open.apply(model);
        } catch (HoldfastException e) {
            if (newest.isEmpty() || Files.exists(newest.get())) {
                throw e;
            }
            return open.apply(model);
        }
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
