package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.runtime.SessionSettings;
import java.nio.file.Path;
import java.util.List;

/**
 * The frozen models of an anchored run: the reference, open throughout, and the snapshot of the iteration under way. A supervised run has
 * neither.
 *
 * <p>Ownership: closes what it opened.
 */
final class Teachers implements AutoCloseable {
    private final PreparedJob job;
    private final RunDirectory run;
    private final FrozenHeads heads;
    private final FrozenModel reference;
    private FrozenModel snapshot;
    private int snapshotStep = -1;
    private double alpha;

    private Teachers(PreparedJob job, RunDirectory run, FrozenHeads heads, FrozenModel reference) {
        this.job = job;
        this.run = run;
        this.heads = heads;
        this.reference = reference;
        this.alpha = job.config().job() == Job.ANCHOR ? job.config().alpha() : 0;
    }

    static Teachers open(PreparedJob job, RunDirectory run) {
        FrozenHeads heads = new FrozenHeads();
        FrozenModel reference = job.reference()
                .map(folder -> FrozenModel.open(folder, heads, job.sessionSettings()))
                .orElse(null);
        return new Teachers(job, run, heads, reference);
    }

    FrozenModel reference() {
        return reference;
    }

    /** The snapshot; null where the student's own logits stand for it. */
    FrozenModel snapshot() {
        return snapshot;
    }

    /** The weight of the reference in the anchor. */
    double alpha() {
        return alpha;
    }

    /** Makes another number the weight of the reference, in [0, 1]. */
    void mix(double weight) {
        alpha = weight;
    }

    /** Makes the weights after so many steps the snapshot: the base for none, else the checkpoint. */
    void takeSnapshot(int step) {
        TrainingConfig config = job.config();
        boolean needed = config.job() == Job.ANCHOR && config.snapshot() == SnapshotMode.MODEL;
        if (needed && snapshotStep != step) {
            closeSnapshot();
            snapshot = openAt(step, job.sessionSettings());
            snapshotStep = step;
        }
    }

    /**
     * A model on loan.
     *
     * @param model the model, which must not be closed by itself
     * @param end what gives it back: it is closed if it was opened for this loan
     */
    record Loan(FrozenModel model, Runnable end) implements AutoCloseable {
        static Loan shared(FrozenModel model) {
            return new Loan(model, () -> {});
        }

        static Loan owned(FrozenModel model) {
            return new Loan(model, model::close);
        }

        @Override
        public void close() {
            end.run();
        }
    }

    /** The weights after so many steps for a measurement, without loading the snapshot a second time where it computes as exactly. */
    Loan lend(int step) {
        boolean shared =
                snapshot != null && snapshotStep == step && !job.config().bf16();
        return shared ? Loan.shared(snapshot) : Loan.owned(openAt(step, measuring()));
    }

    /** The reference for a measurement. */
    Loan lendReference() {
        boolean shared = !job.config().bf16();
        return shared
                ? Loan.shared(reference)
                : Loan.owned(FrozenModel.open(job.reference().orElseThrow(), heads, measuring()));
    }

    /** Weights that are there only for this measurement; closing the loan removes them. */
    Loan lendOnce(StagedDirectory weights) {
        try {
            FrozenModel model = FrozenModel.open(ModelFolder.resolve(weights.path()), heads, measuring());
            return new Loan(model, () -> {
                model.close();
                weights.close();
            });
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** Drift may be smaller than what operands of bfloat16 add to it. */
    private SessionSettings measuring() {
        return job.sessionSettings().withBfloat16Products(false);
    }

    private FrozenModel openAt(int step, SessionSettings settings) {
        Path folder = step > 0 ? run.checkpoint(step) : job.artifact().path();
        return FrozenModel.open(ModelFolder.resolve(folder), heads, settings);
    }

    /** Measures drift on rows; the caller closes it. */
    DriftMeter driftMeter(List<Batch> batches) {
        return DriftMeter.open(job.artifact().driftModel(), batches, LossInputs.plain(), measuring());
    }

    /** Measures the anchor of this run's loss on rows; the caller closes it. */
    DriftMeter anchorMeter(List<Batch> batches) {
        return DriftMeter.open(job.artifact().driftModel(), batches, LossInputs.toAnchor(job.config()), measuring());
    }

    private void closeSnapshot() {
        if (snapshot != null) {
            snapshot.close();
            snapshot = null;
        }
    }

    @Override
    public void close() {
        closeSnapshot();
        if (reference != null) {
            reference.close();
        }
    }
}
