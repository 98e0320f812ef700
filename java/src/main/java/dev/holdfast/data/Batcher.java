package dev.holdfast.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the rows of each epoch into global batches, and those into micro-batches.
 *
 * <p>A global batch is what one optimizer step learns from: {@code microBatchSize × accumulationSteps} rows, fewer at the end of an epoch.
 * It is found from its epoch and index alone, so that a resumed run continues with exactly the batch that comes next. Thread safety:
 * all methods may be called from several threads; nothing changes.
 */
public final class Batcher {
    /** A multiple that keeps the number of distinct tensor shapes small and suits vector units. */
    public static final int DEFAULT_LENGTH_MULTIPLE = 8;

    private final List<EncodedExample> examples;
    private final BatchOptions options;

    /** A batcher over rows, of which there must be at least one. */
    public Batcher(List<EncodedExample> examples, BatchOptions options) {
        if (examples.isEmpty()) {
            throw new IllegalArgumentException("examples: expected at least one, got none");
        }
        this.examples = List.copyOf(examples);
        this.options = options;
    }

    /** How many global batches, and thus optimizer steps, an epoch has. */
    public int globalBatchesPerEpoch() {
        return (examples.size() - 1) / options.globalBatchSize() + 1;
    }

    /**
     * The micro-batches of one global batch, in order.
     *
     * @param epoch from 0
     * @param index from 0, below {@link #globalBatchesPerEpoch()}
     */
    public List<Batch> globalBatch(long epoch, int index) {
        if (index < 0 || index >= globalBatchesPerEpoch()) {
            throw new IllegalArgumentException(
                    "index: expected 0 to " + (globalBatchesPerEpoch() - 1) + ", got " + index);
        }
        int[] order = options.shuffle()
                ? EpochOrder.shuffled(examples.size(), options.seed(), epoch)
                : EpochOrder.fileOrder(examples.size());
        List<EncodedExample> rows = new ArrayList<>();
        int start = index * options.globalBatchSize();
        int end = start + Math.min(options.globalBatchSize(), order.length - start);
        for (int place = start; place < end; place++) {
            rows.add(examples.get(order[place]));
        }
        return microBatches(rows);
    }

    private List<Batch> microBatches(List<EncodedExample> rows) {
        long responseTokens =
                rows.stream().mapToLong(EncodedExample::responseTokens).sum();
        List<Batch> batches = new ArrayList<>();
        for (int start = 0; start < rows.size(); start += options.microBatchSize()) {
            List<EncodedExample> part =
                    rows.subList(start, start + Math.min(options.microBatchSize(), rows.size() - start));
            int longest = part.stream().mapToInt(EncodedExample::length).max().orElseThrow();
            batches.add(Batch.of(part, options.paddedLength(longest), options.padId(), responseTokens));
        }
        return batches;
    }
}
