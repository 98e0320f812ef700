package dev.holdfast.data;

/**
 * How rows become batches.
 *
 * @param microBatchSize rows that go through the model at once ({@code per_device_train_batch_size}); at least 1
 * @param accumulationSteps micro-batches of a global batch ({@code gradient_accumulation_steps}); at least 1
 * @param shuffle whether each epoch has an order of its own; otherwise all have the file's
 * @param seed of the shuffling
 * @param padId the token id behind shorter rows
 * @param lengthMultiple micro-batches are padded to a multiple of this many tokens, but not beyond {@code maxLength}; at least 1
 * @param maxLength the most tokens the model takes; no row is longer
 */
public record BatchOptions(
        int microBatchSize,
        int accumulationSteps,
        boolean shuffle,
        long seed,
        int padId,
        int lengthMultiple,
        int maxLength) {
    public BatchOptions {
        requirePositive("microBatchSize", microBatchSize);
        requirePositive("accumulationSteps", accumulationSteps);
        requirePositive("lengthMultiple", lengthMultiple);
        Math.multiplyExact(microBatchSize, accumulationSteps);
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + ": expected at least 1, got " + value);
        }
    }

    /** Rows of a full global batch. */
    public int globalBatchSize() {
        return microBatchSize * accumulationSteps;
    }

    int paddedLength(int longest) {
        int rounded = (longest + lengthMultiple - 1) / lengthMultiple * lengthMultiple;
        return Math.max(longest, Math.min(rounded, maxLength));
    }
}
