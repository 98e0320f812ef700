package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.files.StagedDirectory;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The checkpoints of a run under way.
 *
 * <p>Weights are proven once they have given a finite loss, which for those of a checkpoint is a step later. Old checkpoints go only then,
 * and a checkpoint whose weights turn out bad is set aside, so that the latest one of a run is one to go on with.
 */
final class CheckpointKeeper {
    private final RunContext context;
    private final TrainingConfig config;
    private final RunDirectory directory;
    private final Schedule schedule;
    private final Student student;
    private boolean surplusPossible = true;
    private int withinBudget;

    CheckpointKeeper(RunContext context, Schedule schedule, Student student) {
        this.context = context;
        this.config = context.config();
        this.directory = context.directory();
        this.schedule = schedule;
        this.student = student;
    }

    /** Writes a checkpoint where one is due; whether it was. */
    boolean saveIfDue(int done) {
        boolean lastOfIteration = config.job() == Job.ANCHOR && schedule.endsIteration(done);
        boolean due = lastOfIteration || config.saveSteps() > 0 && done % config.saveSteps() == 0;
        if (due) {
            save(done);
        }
        return due;
    }

    /** Whether the weights after so many steps are on the disk. */
    boolean has(int done) {
        return ModelFolder.isModel(directory.checkpoint(done));
    }

    /** Writes weights that are not on the disk, for as long as they are measured; the caller closes them. */
    StagedDirectory stageWeights(int done) {
        StagedDirectory staged = directory.measuredWeights(done);
        try {
            student.saveWeights(staged.path());
            return staged;
        } catch (RuntimeException e) {
            staged.close();
            throw e;
        }
    }

    /** The weights after so many steps are within the budgets of drift: they stay until later ones are. */
    void keep(int done) {
        withinBudget = done;
    }

    /** Sets aside what came after the last weights within the budgets. */
    void returnWithinBudget() {
        directory.checkpointFolders().stream()
                .filter(folder -> ModelFolder.stepOf(folder).orElseThrow() > withinBudget)
                .forEach(folder -> directory.setAside(folder, "over-budget"));
    }

    /**
     * Writes the weights after so many steps, unless they are there; what was measured up to them is on the disk before they are.
     *
     * @throws NonFiniteLossException if a weight is not a finite number; nothing is written then
     */
    void save(int done) {
        directory.forceMeasurements();
        Path target = directory.checkpoint(done);
        if (directory.latestCheckpoint().equals(Optional.of(target))) {
            return;
        }
        double norm = student.weightNorm();
        if (!Double.isFinite(norm)) {
            throw bad(done, "step " + done + ": the norm of the weights is " + norm + " after the update");
        }
        context.listener().saving(target, MemoryEstimate.of(context.job()).checkpointBytes());
        context.stopwatch().time(Stopwatch.Activity.CHECKPOINTS, () -> student.save(target));
        surplusPossible = true;
        context.listener().saved(target);
    }

    /** The weights after so many steps gave a finite loss: what is older than the limit allows can go. */
    void proven(int done) {
        if (surplusPossible) {
            boolean underWay = done < schedule.totalSteps();
            Path snapshot = directory.checkpoint(schedule.iterationStart(done));
            Path within = directory.checkpoint(withinBudget);
            directory.dropOldCheckpoints(
                    config.saveTotalLimit(), underWay ? new HashSet<>(List.of(snapshot, within)) : Set.of(within));
            surplusPossible = false;
        }
    }

    /** The weights after so many steps gave something that is not a finite number: sets their checkpoint aside. */
    NonFiniteLossException bad(int done, String problem) {
        Path checkpoint = directory.checkpoint(done);
        String aside = ModelFolder.isModel(checkpoint)
                ? "; " + checkpoint + " is not: it is now " + directory.setAside(checkpoint, "diverged")
                : "";
        String good = directory
                .latestCheckpoint()
                .map(Path::toString)
                .orElse("none yet, the artifact " + context.artifact().path());
        return new NonFiniteLossException(
                problem + ". Last good checkpoint: " + good + aside + "; try a lower learning rate");
    }
}
