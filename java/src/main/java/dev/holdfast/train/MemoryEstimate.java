package dev.holdfast.train;

import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;

/**
 * What a run is expected to need, in bytes. Parameters, gradients and moments are exact; activations are an estimate from the sizes of
 * what the backward pass keeps.
 *
 * @param runtimeBytes Java and ONNX Runtime before any model is loaded
 * @param weightBytes parameters
 * @param gradientBytes gradients of what is trained
 * @param optimizerBytes both moments
 * @param frozenBytes weights and heads of the models that are not trained, when the ledger needs most of them: the reference, the
 *     snapshot, the base, and the student as it was saved; of a supervised run the last two, where it measures drift
 * @param activationBytes what a micro-batch of the longest rows keeps for the backward pass
 * @param checkpointBytes one checkpoint on disk
 */
public record MemoryEstimate(
        long runtimeBytes,
        long weightBytes,
        long gradientBytes,
        long optimizerBytes,
        long frozenBytes,
        long activationBytes,
        long checkpointBytes) {
    /** Measured: tools/measured-facts.md, "Memory of a small run". */
    private static final long RUNTIME_BYTES = 250L << 20;

    /** Wide tensors that a block keeps per token, in multiples of the hidden size: inputs of its linear layers and norms. */
    private static final int HIDDEN_TENSORS_PER_BLOCK = 20;

    /** Estimates a job of one stage. */
    static MemoryEstimate of(PreparedJob job) {
        long trained = Float.BYTES * job.artifact().manifest().trainableCount();
        return new MemoryEstimate(
                RUNTIME_BYTES,
                job.base().weightBytes(),
                trained,
                2 * trained,
                job.reference().map(reference -> frozenBytes(job, reference)).orElseGet(() -> measuredBytes(job)),
                activationBytes(job),
                3 * trained);
    }

    private static long frozenBytes(PreparedJob job, FrozenSource reference) {
        TrainingConfig config = job.config();
        if (job.artifact().lora().isPresent()) {
            // They map the same file of frozen weights, and one head serves them all.
            return headBytes(job.base()) + (reference.isAdapted() ? 0 : openBytes(reference));
        }
        // The first snapshot is the base.
        boolean snapshotIsBase =
                config.snapshot() == SnapshotMode.MODEL && job.steps().iterations() == 1;
        return (snapshotIsBase ? 2 : 3) * openBytes(job.base()) + openBytes(reference);
    }

    /** A supervised run opens the base and the student as it is where it measures drift. */
    private static long measuredBytes(PreparedJob job) {
        TrainingConfig config = job.config();
        boolean measures = config.dataEval().isPresent()
                || config.dataRetention().isPresent()
                || job.rows().heldOut().isPresent();
        if (!measures) {
            return 0;
        }
        return job.artifact().lora().isPresent() ? headBytes(job.base()) : 2 * openBytes(job.base());
    }

    /** The loss takes the head by itself. */
    private static long openBytes(FrozenSource model) {
        return model.weightBytes() + headBytes(model);
    }

    private static long headBytes(FrozenSource model) {
        return (long) Float.BYTES * model.vocabularySize() * model.hiddenSize();
    }

    private static long activationBytes(PreparedJob job) {
        Manifest.Model model = job.artifact().manifest().model();
        DataSummary data = job.rows().train().summary();
        long batchSize = job.config().batchSize();
        long tokens = batchSize * data.longestRow();
        long blocks = tokens * model.layerCount() * HIDDEN_TENSORS_PER_BLOCK * model.hiddenSize() * Float.BYTES;
        long responses = data.responseTokens() / data.rows() * batchSize;
        int logitRows = job.config().job() == Job.ANCHOR ? 3 : 1;
        return blocks + responses * model.vocabularySize() * logitRows * Float.BYTES;
    }

    /** Everything together, without the checkpoint. */
    public long totalBytes() {
        return runtimeBytes + weightBytes + gradientBytes + optimizerBytes + frozenBytes + activationBytes;
    }
}
