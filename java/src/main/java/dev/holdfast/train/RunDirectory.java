package dev.holdfast.train;

import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.JsonLinesFile;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.files.OutputFile;
import dev.holdfast.files.StagedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The files of a run: configuration, provenance, metrics, ledger, checkpoints.
 *
 * <p>Ownership: one that was opened to be written keeps other jobs out until it is closed.
 */
final class RunDirectory implements AutoCloseable {
    /** Settings that do not change what is learnt; for artifact, reference and rows, digests of their content are compared. */
    private static final Set<ConfigKey<?>> MAY_CHANGE = Set.of(
            ConfigKeys.ARTIFACT,
            ConfigKeys.REFERENCE,
            ConfigKeys.DATA_TRAIN,
            ConfigKeys.DATA_EVAL,
            ConfigKeys.DATA_RETENTION,
            ConfigKeys.OUT,
            ConfigKeys.RESUME,
            ConfigKeys.SAVE_STEPS,
            ConfigKeys.SAVE_TOTAL_LIMIT,
            ConfigKeys.LOGGING_STEPS,
            ConfigKeys.EVAL_STEPS,
            ConfigKeys.CACHE,
            ConfigKeys.CACHE_DIR,
            ConfigKeys.CACHE_LIMIT_GIB,
            ConfigKeys.KL_TOTAL_BUDGET,
            ConfigKeys.KL_RETENTION_BUDGET,
            ConfigKeys.THREADS);

    private final Path path;
    private final RunFolder files;
    private final Optional<RunLock> lock;

    private RunDirectory(Path path, Optional<RunLock> lock) {
        this.path = path;
        this.files = new RunFolder(path);
        this.lock = lock;
    }

    /** The files of a run that is not there yet; nothing is made. */
    static RunDirectory at(Path path) {
        return new RunDirectory(path, Optional.empty());
    }

    /**
     * Makes the directory of a job, or takes up what is there; no other job writes to it until it is closed.
     *
     * @throws InvalidInputException if it holds a run that is not to be resumed or is at work, or something else
     */
    static RunDirectory open(TrainingConfig config) {
        Path path = config.out();
        try {
            RunLock.requireNone(path);
            requireFit(config);
            Files.createDirectories(path);
            RunLock lock = RunLock.take(path);
            try {
                // Another job may have come and gone since.
                requireFit(config);
                removePartials(path);
                return new RunDirectory(path, Optional.of(lock));
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw FileAccessException.writing(path, e);
        }
    }

    private static void requireFit(TrainingConfig config) throws IOException {
        if (config.resume()) {
            requireRun(config.out());
        } else {
            requireNew(config.out());
        }
    }

    private static void requireNew(Path path) throws IOException {
        if (Files.exists(path) && !RunLock.isUnused(path)) {
            String what = new RunFolder(path).hasRun() ? "holds a run already" : "is not empty";
            throw new InvalidInputException(path + ": " + what
                    + ": expected a new folder; add --resume to continue a run, or name another folder");
        }
    }

    /** A run writes one of these before anything else that it keeps; a folder that is missing is none yet. */
    private static void requireRun(Path path) throws IOException {
        RunFolder files = new RunFolder(path);
        boolean begun = Stream.of(files.config(), files.provenance(), path.resolve(ModelFiles.TOKENIZER))
                .anyMatch(Files::exists);
        if (begun || !Files.exists(path)) {
            return;
        }
        try (Stream<Path> entries = Files.list(path)) {
            if (!entries.allMatch(entry -> StagedDirectory.isPartial(entry) || RunLock.isLock(entry))) {
                throw new InvalidInputException(
                        path + ": expected a run to resume, got a folder with other content and without "
                                + files.config().getFileName() + "; name the folder of the run");
            }
        }
    }

    /** Whatever a killed process left. */
    private static void removePartials(Path path) throws IOException {
        try (Stream<Path> entries = Files.list(path)) {
            entries.filter(StagedDirectory::isPartial).forEach(StagedDirectory::deleteTree);
        }
    }

    @Override
    public void close() {
        lock.ifPresent(RunLock::close);
    }

    Path path() {
        return path;
    }

    /** Writes what a run says of itself before its first step; the provenance last, so that its presence means that all is there. */
    void begin(TrainingConfig config, Path artifact, Provenance provenance) {
        writeConfig(config);
        ModelFiles.copy(artifact, path);
        ModelFiles.sign(path);
        JsonFiles.write(files.provenance(), provenance);
    }

    void writeConfig(TrainingConfig config) {
        OutputFile.writeWhole(files.config(), config.toYaml().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Makes sure that a run is resumed as it was begun.
     *
     * @throws InvalidConfigurationException naming every setting that has changed and would change what is learnt
     */
    void requireSameConfig(TrainingConfig now) {
        Path file = files.config();
        if (!Files.exists(file)) {
            return;
        }
        TrainingConfig then =
                ConfigReader.of(now.job()).file(file).allowingMissingPaths().read();
        List<String> changed = ConfigKeys.of(now.job()).stream()
                .filter(key -> !MAY_CHANGE.contains(key) && !then.find(key).equals(now.find(key)))
                .map(key -> key.name() + ": expected " + then.find(key).orElse(null) + " as in " + file + ", got "
                        + now.find(key).orElse(null) + "; resume with the settings of the run, or begin another")
                .toList();
        if (!changed.isEmpty()) {
            throw new InvalidConfigurationException(changed);
        }
    }

    Optional<Provenance> provenance() {
        Path file = files.provenance();
        return Files.exists(file) ? Optional.of(JsonFiles.read(file, Provenance.class)) : Optional.empty();
    }

    RunFolder files() {
        return files;
    }

    JsonLinesFile metrics() {
        return new JsonLinesFile(files.metrics());
    }

    JsonLinesFile evaluations() {
        return new JsonLinesFile(files.evaluations());
    }

    JsonLinesFile retention() {
        return new JsonLinesFile(files.retention());
    }

    JsonLinesFile ledger() {
        return new JsonLinesFile(files.ledger());
    }

    JsonLinesFile alphas() {
        return new JsonLinesFile(files.alphas());
    }

    JsonLinesFile timing() {
        return new JsonLinesFile(files.timing());
    }

    private List<JsonLinesFile> measurements() {
        return List.of(metrics(), evaluations(), retention(), ledger(), alphas(), timing());
    }

    /** Has the disk keep what was measured so far. */
    void forceMeasurements() {
        measurements().forEach(JsonLinesFile::force);
    }

    /** Removes what was measured after a step. */
    void keepUpTo(int step) {
        measurements().forEach(file -> file.keepUpTo(step));
    }

    /** A folder for weights that are there only while they are measured; what a killed process leaves of it is removed. */
    StagedDirectory measuredWeights(int step) {
        return StagedDirectory.forNew(path.resolve("measured-" + step));
    }

    Path checkpoint(int step) {
        return ModelFolder.checkpointOf(path, step);
    }

    Optional<Path> latestCheckpoint() {
        return ModelFolder.latestCheckpoint(path);
    }

    /** Folders with the name of a checkpoint, oldest first, whether whole or not. */
    List<Path> checkpointFolders() {
        return ModelFolder.checkpointFolders(path);
    }

    /**
     * Renames a checkpoint so that nothing takes it for one; it is for a person to look at and remove.
     *
     * @param why what the new name ends in
     * @return the new name
     */
    Path setAside(Path checkpoint, String why) {
        String name = checkpoint.getFileName() + "." + why;
        Path aside = path.resolve(name);
        for (int i = 2; Files.exists(aside); i++) {
            aside = path.resolve(name + "-" + i);
        }
        return move(checkpoint, aside);
    }

    /**
     * Removes the oldest checkpoints beyond a limit.
     *
     * @param limit how many to keep, the newest; 0 keeps all
     * @param needed those to keep whatever their age
     */
    void dropOldCheckpoints(int limit, Set<Path> needed) {
        List<Path> checkpoints = ModelFolder.checkpoints(path);
        int surplus = limit == 0 ? 0 : Math.max(0, checkpoints.size() - limit);
        checkpoints.subList(0, surplus).stream()
                .filter(checkpoint -> !needed.contains(checkpoint))
                .forEach(RunDirectory::drop);
    }

    /** Renamed first: what a killed process leaves over is no checkpoint. */
    private static void drop(Path checkpoint) {
        StagedDirectory.deleteTree(move(checkpoint, StagedDirectory.partialOf(checkpoint)));
    }

    private static Path move(Path from, Path to) {
        try {
            return Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw FileAccessException.writing(from, e);
        }
    }
}
