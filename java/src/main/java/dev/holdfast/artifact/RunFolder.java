package dev.holdfast.artifact;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files of a run beside its checkpoints, each of which may be missing.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    /** The resolved configuration. */
    public Path config() {
        return path.resolve("config.yaml");
    }

    /** Where the run comes from; it is written last of what a run says of itself before its first step. */
    public Path provenance() {
        return path.resolve("run.json");
    }

    /** The artifact that was made of the given one for this run alone, where the run asked for adapters. */
    public Path adaptedArtifact() {
        return path.resolve("artifact");
    }

    /** How far the run is, rewritten as it goes on. */
    public Path status() {
        return path.resolve("status.json");
    }

    /** A line for each step. */
    public Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** A line for each evaluation on held-out rows. */
    public Path evaluations() {
        return path.resolve("eval.jsonl");
    }

    /** A line for each evaluation on rows of what should be kept. */
    public Path retention() {
        return path.resolve("retention.jsonl");
    }

    /** A line for each measurement of drift. */
    public Path ledger() {
        return path.resolve("ledger.jsonl");
    }

    /** A line for each weight of the reference that a budget chose. */
    public Path alphas() {
        return path.resolve("alpha.jsonl");
    }

    /** What the time went into, a line for each stretch of the run. */
    public Path timing() {
        return path.resolve("timing.jsonl");
    }

    /** The page that shows all this. */
    public Path report() {
        return path.resolve("report.html");
    }

    /** Whether a run has begun here. */
    public boolean hasRun() {
        return Files.isRegularFile(provenance());
    }
}
