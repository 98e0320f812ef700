package dev.holdfast.train;

import dev.holdfast.data.Batch;
import dev.holdfast.tensor.HostTensor;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model whose hidden states of a few batches were computed before and are kept in memory.
 *
 * @param hiddenByBatch FLOAT[N, hiddenSize] by the very batch
 * @param head FLOAT[vocabularySize, hiddenSize]
 * @param seconds that it took to compute them
 */
record PrecomputedTeacher(Map<Batch, HostTensor> hiddenByBatch, HostTensor head, double seconds) implements Teacher {
    static PrecomputedTeacher of(Teacher teacher, List<Batch> batches) {
        Map<Batch, HostTensor> hidden = new IdentityHashMap<>();
        long start = System.nanoTime();
        batches.forEach(batch -> hidden.put(batch, teacher.hidden(batch)));
        return new PrecomputedTeacher(hidden, teacher.head(), (System.nanoTime() - start) / 1e9);
    }

    @Override
    public HostTensor hidden(Batch batch) {
        return hiddenByBatch.get(batch);
    }

    @Override
    public void close() {}
}
