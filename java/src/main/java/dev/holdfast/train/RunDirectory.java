package dev.holdfast.train;

import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.StagedDirectory;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The files of a run: configuration, provenance, metrics, ledger, checkpoints. */
final class RunDirectory {
    private static final String CONFIG = "config.yaml";
    private static final String PROVENANCE = "run.json";

    private final Path path;

    private RunDirectory(Path path) {
        this.path = path;
    }

    /**
     * Makes the directory of a new run.
     *
     * @throws InvalidInputException if it holds anything already
     */
    static RunDirectory create(Path path) {
        try {
            if (Files.exists(path) && !StagedDirectory.isEmptyDirectory(path)) {
                String what = Files.exists(path.resolve(PROVENANCE)) ? "holds a run already" : "is not empty";
                throw new InvalidInputException(path + ": " + what + ": expected a new folder; add --resume to continue a run, or name another folder");
            }
            Files.createDirectories(path);
            return new RunDirectory(path);
        } catch (IOException e) {
            throw FileAccessException.writing(path, e);
        }
    }

    /** The directory of a run that is resumed, whatever a killed process left in it; a missing one is made. */
    static RunDirectory resume(Path path) {
        try {
            Files.createDirectories(path);
            try (Stream<Path> entries = Files.list(path)) {
                entries.filter(StagedDirectory::isPartial).forEach(StagedDirectory::deleteTree);
            }
            return new RunDirectory(path);
        } catch (IOException e) {
            throw FileAccessException.writing(path, e);
        }
    }

    Path path() {
        return path;
    }

    /** Writes what a run says of itself before its first step; the provenance last, so that its presence means that all is there. */
    void begin(TrainingConfig config, Path artifact, Provenance provenance) {
        JsonFiles.writeWhole(path.resolve(CONFIG), config.toYaml().getBytes(StandardCharsets.UTF_8));
        ModelFiles.copy(artifact, path);
        JsonFiles.write(path.resolve(PROVENANCE), provenance);
    }

    Optional<Provenance> provenance() {
        Path file = path.resolve(PROVENANCE);
        return Files.exists(file) ? Optional.of(JsonFiles.read(file, Provenance.class)) : Optional.empty();
    }

    JsonLinesFile metrics() {
        return new JsonLinesFile(path.resolve("metrics.jsonl"));
    }

    JsonLinesFile ledger() {
        return new JsonLinesFile(path.resolve("ledger.jsonl"));
    }

    Path checkpoint(int step) {
        return ModelFolder.checkpointOf(path, step);
    }

    Optional<Path> latestCheckpoint() {
        return ModelFolder.latestCheckpoint(path);
    }

    /**
     * Removes the oldest checkpoints beyond a limit.
     *
     * @param limit how many to keep; 0 keeps all
     * @param needed one to keep whatever its age: the snapshot of the iteration under way
     */
    void dropOldCheckpoints(int limit, Optional<Path> needed) {
        List<Path> checkpoints = ModelFolder.checkpoints(path);
        int surplus = limit == 0 ? 0 : checkpoints.size() - limit;
        for (Path checkpoint : checkpoints) {
            if (surplus > 0 && !needed.equals(Optional.of(checkpoint))) {
                StagedDirectory.deleteTree(checkpoint);
                surplus--;
            }
        }
    }
}
