package dev.holdfast.train;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a model that is not trained comes from: known before it is opened, and opened as often as it is needed. */
sealed interface FrozenSource permits TrainedSource, DeployedSource {
    /**
     * Finds and verifies what a configuration calls the reference.
     *
     * @throws InvalidInputException if the folder holds no model
     * @throws dev.holdfast.error.HoldfastException if a file is damaged, or a decoder is of a kind that cannot be one
     */
    static FrozenSource open(Path path) {
        if (!ModelFolder.isModel(path) && Files.isRegularFile(path.resolve(DeployableFolder.MODEL))) {
            return DeployedSource.of(path);
        }
        return new TrainedSource(ModelFolder.open(path));
    }

    /** The folder. */
    Path path();

    /** The folder of the tokenizer's files. */
    Path tokenizer();

    /** V. */
    int vocabularySize();

    /** H. */
    int hiddenSize();

    /** SHA-256 of all that decides what the model computes, in hexadecimal digits. */
    String digest();

    /** SHA-256 of the weights, as provenance has it. */
    String weightsDigest();

    /** Bytes of all weights. */
    long weightBytes();

    /** Whether it is low-rank adapters on frozen weights, which models of one family share. */
    boolean isAdapted();

    /** Loads the model; the caller closes it. */
    FrozenModel open(FrozenHeads heads, SessionSettings settings);

    /** Reads the head alone, FLOAT[vocabularySize, hiddenSize]. */
    HostTensor head(FrozenHeads heads);
}
