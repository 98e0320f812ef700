package dev.holdfast.train;

import dev.holdfast.cache.HiddenCache;
import dev.holdfast.data.Batch;
import dev.holdfast.tensor.HostTensor;

/**
 * A model whose hidden states were computed before; it is not in memory, but for its head.
 *
 * @param cache holds all training rows
 * @param head FLOAT[vocabularySize, hiddenSize]
 */
record CachedTeacher(HiddenCache cache, HostTensor head) implements Teacher {
    /** {@inheritDoc} A row's are the same bits in every batch: no operator of the model's graph mixes rows. */
    @Override
    public HostTensor hidden(Batch batch) {
        return cache.read(batch.rows());
    }

    @Override
    public void close() {
        cache.close();
    }
}
