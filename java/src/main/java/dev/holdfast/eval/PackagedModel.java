package dev.holdfast.eval;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GenaiConfig;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/**
 * A packaged model with its tokenizer, as generation needs them.
 *
 * @param path the folder
 * @param config what the folder says of the model
 * @param tokenizer its tokenizer
 * @param decoder its decoder
 * @param stopIds the ids that end a generation
 */
record PackagedModel(
        Path path, GenaiConfig.Model config, Tokenizer tokenizer, CachedDecoder decoder, Set<Integer> stopIds)
        implements AutoCloseable {
    static PackagedModel open(Path packaged, SessionSettings settings) {
        DeployableFolder folder = DeployableFolder.open(packaged);
        Tokenizer tokenizer = Tokenizer.load(packaged);
        try {
            Set<Integer> stopIds = new TreeSet<>(tokenizer.stopIds());
            stopIds.addAll(folder.config().model().eosTokenId());
            return new PackagedModel(
                    packaged, folder.config().model(), tokenizer, CachedDecoder.open(folder, settings), stopIds);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** The longest sequence, prompt included, in tokens. */
    int contextLength() {
        return config.contextLength();
    }

    /**
     * Makes sure that a prompt can be continued.
     *
     * @throws InvalidInputException if it is empty, leaves no room in the context, or has ids that the model does not know
     */
    void requireFit(int[] promptIds) {
        if (promptIds.length == 0) {
            throw new InvalidInputException("prompt: expected at least one token, got none");
        }
        if (promptIds.length >= contextLength()) {
            throw new InvalidInputException("prompt: expected fewer than the " + contextLength()
                    + " tokens of the model's context, got " + promptIds.length + "; shorten it");
        }
        for (int id : promptIds) {
            if (id >= config.vocabSize()) {
                throw new InvalidInputException(
                        path + ": token " + id + ": expected an id below the model's vocabulary of "
                                + config.vocabSize() + "; the tokenizer does not belong to the model");
            }
        }
    }

    @Override
    public void close() {
        decoder.close();
        tokenizer.close();
    }
}
