package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.Job;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a run continues: at its newest checkpoint that is whole, with the snapshot that its iteration began with. What is newer and
 * damaged is set aside, and the listener is warned.
 */
final class ResumePoint {
    private final RunContext context;
    private final RunDirectory directory;
    private final Schedule schedule;
    private final Map<Path, HoldfastException> damaged = new LinkedHashMap<>();

    private ResumePoint(RunContext context) {
        this.context = context;
        this.directory = context.directory();
        this.schedule = context.job().schedule();
    }

    /**
     * Finds it, reading each file of the checkpoints in question once.
     *
     * @return the verified checkpoint; none where the run has yet to write one
     * @throws InvalidInputException if there are checkpoints but none is whole; nothing is set aside then
     */
    static Optional<ModelFolder> find(RunContext context) {
        return new ResumePoint(context).find();
    }

    private Optional<ModelFolder> find() {
        List<Path> newestFirst = new ArrayList<>(directory.checkpointFolders());
        Collections.reverse(newestFirst);
        for (Path candidate : newestFirst) {
            Optional<ModelFolder> whole = whole(candidate);
            if (whole.isPresent()) {
                damaged.forEach((path, problem) -> setAside(path, problem, candidate));
                return whole;
            }
        }
        if (!damaged.isEmpty()) {
            throw noneIsWhole(damaged.values().iterator().next());
        }
        return Optional.empty();
    }

    private Optional<ModelFolder> whole(Path candidate) {
        try {
            ModelFolder folder = ModelFolder.open(candidate);
            snapshotOf(ModelFolder.stepOf(candidate).orElseThrow()).ifPresent(ModelFolder::open);
            return Optional.of(folder);
        } catch (HoldfastException e) {
            damaged.put(candidate, e);
            return Optional.empty();
        }
    }

    /** The checkpoint that the iteration under way needs, or the drift of the one that has just ended if it is still to be measured. */
    private Optional<Path> snapshotOf(int step) {
        boolean ended = schedule.endsIteration(step);
        if (context.config().job() != Job.ANCHOR || ended && directory.ledger().has(step, LedgerEntry.KL_TOTAL)) {
            return Optional.empty();
        }
        int start = schedule.iterationStart(ended ? step - 1 : step);
        return start > 0 ? Optional.of(directory.checkpoint(start)) : Optional.empty();
    }

    private void setAside(Path path, HoldfastException problem, Path instead) {
        Path aside = directory.setAside(path, "damaged");
        context.reporter()
                .warn(problem.getMessage() + ". The run continues from " + instead + "; " + path.getFileName()
                        + " is now " + aside);
    }

    private InvalidInputException noneIsWhole(HoldfastException newest) {
        return new InvalidInputException(
                directory.path() + ": resume: expected a checkpoint that is whole, got none: " + newest.getMessage()
                        + "; or begin the run anew in another folder",
                newest);
    }
}
