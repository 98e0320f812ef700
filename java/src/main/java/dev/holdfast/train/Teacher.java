package dev.holdfast.train;

import dev.holdfast.data.Batch;
import dev.holdfast.tensor.HostTensor;

/**
 * A model that is not trained, seen as the loss sees it: hidden states at response positions, and the head that they are multiplied with.
 *
 * <p>Ownership: the caller closes it.
 */
interface Teacher extends AutoCloseable {
    /** Hidden states that predict the batch's response tokens, FLOAT[N, hiddenSize]. */
    HostTensor hidden(Batch batch);

    /** The head, FLOAT[vocabularySize, hiddenSize]. */
    HostTensor head();

    @Override
    void close();
}
