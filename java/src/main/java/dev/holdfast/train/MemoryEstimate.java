package dev.holdfast.train;

import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;

/**
 * What a run is expected to need, in bytes. Parameters, gradients and moments are exact; activations are an estimate from the sizes of
 * what the backward pass keeps.
 *
 * @param weightBytes parameters
 * @param gradientBytes gradients
 * @param optimizerBytes both moments
 * @param frozenBytes weights of snapshot and reference
 * @param activationBytes what a micro-batch of the longest rows keeps for the backward pass
 * @param checkpointBytes one checkpoint on disk
 */
public record MemoryEstimate(
        long weightBytes,
        long gradientBytes,
        long optimizerBytes,
        long frozenBytes,
        long activationBytes,
        long checkpointBytes) {
    /** Wide tensors that a block keeps per token, in multiples of the hidden size: inputs of its linear layers and norms. */
    private static final int HIDDEN_TENSORS_PER_BLOCK = 20;

    /**
     * Estimates a job of one stage.
     *
     * @param tokensPerRow tokens of the longest row
     * @param responseTokens response tokens of a micro-batch
     */
    static MemoryEstimate of(TrainingConfig config, Manifest manifest, int tokensPerRow, long responseTokens) {
        long weights = Float.BYTES * manifest.parameterCount();
        Manifest.Model model = manifest.model();
        long tokens = (long) config.batchSize() * tokensPerRow;
        long blocks = tokens * model.layerCount() * HIDDEN_TENSORS_PER_BLOCK * model.hiddenSize() * Float.BYTES;
        int logitRows = config.job() == Job.ANCHOR ? 3 : 1;
        long logits = responseTokens * model.vocabularySize() * logitRows * Float.BYTES;
        return new MemoryEstimate(
                weights, weights, 2 * weights, frozenModels(config) * weights, blocks + logits, 3 * weights);
    }

    private static int frozenModels(TrainingConfig config) {
        if (config.job() != Job.ANCHOR) {
            return 0;
        }
        return config.snapshot() == SnapshotMode.MODEL ? 2 : 1;
    }

    /** Everything together, without the checkpoint. */
    public long totalBytes() {
        return weightBytes + gradientBytes + optimizerBytes + frozenBytes + activationBytes;
    }
}
