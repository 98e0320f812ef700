package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.data.Batch;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.runtime.SessionSettings;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * The frozen models of an anchored run: the reference, throughout, and the snapshot of the iteration under way. Each is in memory and runs
 * for every batch, or has its hidden states on the disk. A supervised run has neither.
 *
 * <p>Ownership: closes what it opened.
 */
final class Teachers implements AutoCloseable {
    private static final String REFERENCE = "reference";
    private static final String SNAPSHOT = "snapshot";

    private final PreparedJob job;
    private final RunDirectory run;
    private final FrozenHeads heads = new FrozenHeads();
    private final TrainingListener listener;
    private final CachePlan caches;
    private Teacher reference;
    private Teacher snapshot;
    private int snapshotStep = -1;
    private double alpha;

    Teachers(PreparedJob job, RunDirectory run, TrainingListener listener) {
        this.job = job;
        this.run = run;
        this.listener = listener;
        this.caches = CachePlan.of(job);
        this.alpha = job.config().job() == Job.ANCHOR ? job.config().alpha() : 0;
    }

    /** Null until there has been one. */
    Teacher reference() {
        return reference;
    }

    /** The snapshot; null where the student's own logits stand for it. */
    Teacher snapshot() {
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

    /**
     * Makes the reference ready, and the weights after so many steps the snapshot: the base for none, else the checkpoint.
     *
     * @param stopRequested asked before every block of a cache that has to be built
     * @return false if it was asked to stop
     */
    boolean prepare(int step, BooleanSupplier stopRequested) {
        return job.config().job() != Job.ANCHOR || prepareReference(stopRequested) && takeSnapshot(step, stopRequested);
    }

    /** As {@link #prepare} for the first step, but opens nothing that has no cache. */
    boolean prepareCaches(BooleanSupplier stopRequested) {
        return (!caches.cachesReference() || prepareReference(stopRequested))
                && (!caches.cachesSnapshots() || takeSnapshot(0, stopRequested));
    }

    private boolean prepareReference(BooleanSupplier stopRequested) {
        if (reference == null) {
            FrozenSource source = job.reference().orElseThrow();
            reference = open(REFERENCE, source, caches.cachesReference(), stopRequested);
        }
        return reference != null;
    }

    private boolean takeSnapshot(int step, BooleanSupplier stopRequested) {
        boolean needed = job.config().snapshot() == SnapshotMode.MODEL && snapshotStep != step;
        if (!needed) {
            return true;
        }
        dismissSnapshot();
        snapshot = open(SNAPSHOT, weightsAt(step), caches.cachesSnapshots(), stopRequested);
        snapshotStep = snapshot == null ? -1 : step;
        return snapshot != null;
    }

    /** Null if it was asked to stop. */
    private Teacher open(String name, FrozenSource source, boolean isCached, BooleanSupplier stopRequested) {
        if (!isCached) {
            return source.open(heads, job.sessionSettings());
        }
        return new ModelCache(job, name, source, listener)
                .obtain(stopRequested)
                .map(cache -> new CachedTeacher(cache, source.head(heads)))
                .orElse(null);
    }

    /**
     * Makes ready for a first step on some batches alone; what a run would have on disk is computed and held in memory.
     *
     * @return seconds that computing it for these batches took, as often as a run does
     */
    double rehearse(List<Batch> batches) {
        if (job.config().job() != Job.ANCHOR) {
            return 0;
        }
        reference = rehearsed(job.reference().orElseThrow(), caches.cachesReference(), batches);
        if (job.config().snapshot() == SnapshotMode.MODEL) {
            snapshot = rehearsed(job.base(), caches.cachesSnapshots(), batches);
        }
        return seconds(reference) + job.steps().iterations() * seconds(snapshot);
    }

    private Teacher rehearsed(FrozenSource source, boolean isCached, List<Batch> batches) {
        FrozenModel model = source.open(heads, job.sessionSettings());
        if (!isCached) {
            return model;
        }
        try (model) {
            return PrecomputedTeacher.of(model, batches);
        }
    }

    private static double seconds(Teacher teacher) {
        return teacher instanceof PrecomputedTeacher precomputed ? precomputed.seconds() : 0;
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
        return lend(snapshotStep == step ? snapshot : null, weightsAt(step));
    }

    /** The reference for a measurement. */
    Loan lendReference() {
        return lend(reference, job.reference().orElseThrow());
    }

    private Loan lend(Teacher opened, FrozenSource source) {
        return opened instanceof FrozenModel model && !job.config().bf16()
                ? Loan.shared(model)
                : Loan.owned(source.open(heads, measuring()));
    }

    /** Weights that are there only for this measurement; closing the loan removes them. */
    Loan lendOnce(StagedDirectory weights) {
        try {
            FrozenModel model = new TrainedSource(ModelFolder.resolve(weights.path())).open(heads, measuring());
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

    private FrozenSource weightsAt(int step) {
        return step > 0 ? new TrainedSource(ModelFolder.resolve(run.checkpoint(step))) : job.base();
    }

    /** Measures drift on rows; the caller closes it. */
    DriftMeter driftMeter(List<Batch> batches) {
        return DriftMeter.open(job.artifact().driftModel(), batches, LossInputs.plain(), measuring());
    }

    /** Measures the anchor of this run's loss on rows; the caller closes it. */
    DriftMeter anchorMeter(List<Batch> batches) {
        return DriftMeter.open(job.artifact().driftModel(), batches, LossInputs.toAnchor(job.config()), measuring());
    }

    /** Ends the last iteration: its snapshot is needed no more, not even on the disk. The base's stays, for other runs begin with it too. */
    void dismissSnapshot() {
        if (snapshot instanceof CachedTeacher cached && snapshotStep > 0) {
            cached.cache().remove();
        }
        closeSnapshot();
        snapshotStep = -1;
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
