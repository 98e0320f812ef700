package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
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

    private Teachers(PreparedJob job, RunDirectory run, FrozenHeads heads, FrozenModel reference) {
        this.job = job;
        this.run = run;
        this.heads = heads;
        this.reference = reference;
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
     * @param owned whether it was opened for this loan, whose closing then closes it
     */
    record Loan(FrozenModel model, boolean owned) implements AutoCloseable {
        @Override
        public void close() {
            if (owned) {
                model.close();
            }
        }
    }

    /** The weights after so many steps for a measurement, without loading the snapshot a second time where it computes as exactly. */
    Loan lend(int step) {
        boolean shared =
                snapshot != null && snapshotStep == step && !job.config().bf16();
        return shared ? new Loan(snapshot, false) : new Loan(openAt(step, measuring()), true);
    }

    /** The reference for a measurement. */
    Loan lendReference() {
        boolean shared = !job.config().bf16();
        return shared
                ? new Loan(reference, false)
                : new Loan(FrozenModel.open(job.reference().orElseThrow(), heads, measuring()), true);
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
        return DriftMeter.open(job.artifact().driftModel(), batches, measuring());
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
