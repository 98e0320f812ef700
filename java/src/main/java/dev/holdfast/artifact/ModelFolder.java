package dev.holdfast.artifact;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model that can be run: weights in a checkpoint, with graphs beside it that point into them. An artifact is one, and so is every
 * checkpoint of a run.
 *
 * @param path the folder of checkpoint and graphs
 * @param model the model's sizes and the names of embedding and head
 * @param tokenizer the folder of the tokenizer's files and {@code config.json}
 * @param files size and digest of the files in the folder by name; empty for a checkpoint of a Holdfast that kept none
 */
public record ModelFolder(Path path, Manifest.Model model, Path tokenizer, Map<String, FileDigest> files) {
    /** The description of a run's checkpoint: its model, and size and digest of its files. */
    public static final String MODEL = "model.json";

    private static final String HINT = "copy it again, or use another checkpoint of the run";

    private static final String PREFIX = "checkpoint-";

    /** What {@link #MODEL} says beside the model. */
    private record Digests(Map<String, FileDigest> files) {}

    /** What {@link #MODEL} says. */
    private record Description(@JsonUnwrapped Manifest.Model model, Map<String, FileDigest> files) {}

    /**
     * Finds a model as {@link #resolve} does and makes sure that its files are as they were written, reading each once.
     *
     * @throws InvalidInputException if the folder is none
     * @throws FileAccessException if a file is missing or cannot be read
     * @throws MalformedFileException if a file is truncated or corrupt
     */
    public static ModelFolder open(Path path) {
        ModelFolder folder = resolve(path);
        folder.verify();
        return folder;
    }

    /** Without digests, only a file that is missing or cut short can be told. */
    private void verify() {
        String hint = ArtifactDirectory.isArtifact(path) ? ArtifactDirectory.HINT : HINT;
        files.forEach((name, digest) -> digest.requireOf(path.resolve(name), hint));
        if (!tokenizer.equals(path)) {
            ModelFiles.verify(tokenizer);
        }
        if (files.isEmpty()) {
            checkpoint();
        }
    }

    /**
     * Finds the model of an artifact, of a run (its latest checkpoint), of one checkpoint of a run, or of a finished job of both stages
     * (its anchored run); its files are not verified.
     *
     * @throws InvalidInputException if the folder is none of these, or a run without a checkpoint
     */
    public static ModelFolder resolve(Path path) {
        if (ArtifactDirectory.isArtifact(path)) {
            Manifest manifest = ArtifactDirectory.readManifest(path);
            return new ModelFolder(path, manifest.model(), path, manifest.files());
        }
        if (Files.isRegularFile(path.resolve(MODEL))) {
            return ofCheckpoint(path);
        }
        return latestCheckpointOrResult(path).map(ModelFolder::ofCheckpoint).orElseThrow(() -> {
            return new InvalidInputException(
                    path + ": expected an artifact, a run or a checkpoint, got " + whatItIs(path));
        });
    }

    private static Optional<Path> latestCheckpointOrResult(Path path) {
        return latestCheckpoint(path).or(() -> new StagesFolder(path).result().flatMap(ModelFolder::latestCheckpoint));
    }

    private static String whatItIs(Path path) {
        if (!Files.isDirectory(path)) {
            return Files.exists(path) ? fileOfModel(path) : "no folder";
        }
        return new StagesFolder(path)
                .advice()
                .orElse("a folder without " + ArtifactDirectory.MANIFEST + " and without checkpoints");
    }

    /** What to say of a file where the folder of a model is expected. */
    static String fileOfModel(Path path) {
        return "a file; export the model first: holdfast export --model " + path + " --out DIR";
    }

    /** Whether {@link #resolve} would find a model. */
    public static boolean isModel(Path path) {
        return ArtifactDirectory.isArtifact(path)
                || Files.isRegularFile(path.resolve(MODEL))
                || latestCheckpointOrResult(path).isPresent();
    }

    private static ModelFolder ofCheckpoint(Path path) {
        Path run = path.toAbsolutePath().normalize().getParent();
        Path file = path.resolve(MODEL);
        Map<String, FileDigest> files = JsonFiles.read(file, Digests.class).files();
        if (files != null && files.containsValue(null)) {
            throw MalformedFileException.of(file, "files: expected size and digest of each, got null; " + HINT);
        }
        return new ModelFolder(path, JsonFiles.read(file, Manifest.Model.class), run, files == null ? Map.of() : files);
    }

    /**
     * Writes the description of a run's checkpoint, which makes a folder one.
     *
     * @param files size and digest of each file by name
     * @throws FileAccessException if it cannot be written
     */
    public static void describe(Path checkpoint, Manifest.Model model, Map<String, FileDigest> files) {
        JsonFiles.write(checkpoint.resolve(MODEL), new Description(model, files));
    }

    /** The folder of a run's checkpoint after so many optimizer steps. */
    public static Path checkpointOf(Path run, int step) {
        return run.resolve(PREFIX + step);
    }

    /** The checkpoints of a run, oldest first; those that were never completed are left out. */
    public static List<Path> checkpoints(Path run) {
        return checkpointFolders(run).stream()
                .filter(folder -> Files.isRegularFile(folder.resolve(MODEL)))
                .toList();
    }

    /** The folders of a run with the name of a checkpoint, oldest first, whether whole or not. */
    public static List<Path> checkpointFolders(Path run) {
        if (!Files.isDirectory(run)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(run)) {
            return entries.filter(entry -> stepOf(entry).isPresent())
                    .sorted(Comparator.comparing(entry -> stepOf(entry).orElseThrow()))
                    .toList();
        } catch (IOException e) {
            throw FileAccessException.reading(run, e);
        }
    }

    /** The newest checkpoint of a run. */
    public static Optional<Path> latestCheckpoint(Path run) {
        List<Path> checkpoints = checkpoints(run);
        return checkpoints.isEmpty() ? Optional.empty() : Optional.of(checkpoints.get(checkpoints.size() - 1));
    }

    /** The optimizer steps in a checkpoint folder's name, if it is one. */
    public static Optional<Integer> stepOf(Path checkpoint) {
        String name = checkpoint.getFileName().toString();
        boolean numbered =
                name.startsWith(PREFIX) && name.substring(PREFIX.length()).matches("\\d{1,9}");
        return numbered ? Optional.of(Integer.valueOf(name.substring(PREFIX.length()))) : Optional.empty();
    }

    /** The file of the weights that were trained. */
    public Path checkpointFile() {
        return path.resolve(ArtifactDirectory.CHECKPOINT);
    }

    /** The SHA-256 digest of the weights, as written or, where that is not known, read; of adapters and frozen weights, that of both digests. */
    public String weightsDigest() {
        String trained = sha256(OrtCheckpoint.weightsFile(checkpointFile()));
        Path base = BaseWeights.in(path);
        return Files.exists(base)
                ? FileDigest.of((trained + sha256(OrtCheckpoint.weightsFile(base))).getBytes(StandardCharsets.UTF_8))
                        .sha256()
                : trained;
    }

    private String sha256(Path file) {
        FileDigest known = files.get(file.getFileName().toString());
        return (known == null ? FileDigest.of(file) : known).sha256();
    }

    /** Bytes of all parameters, without the optimizer's state. */
    public long weightBytes() {
        OrtCheckpoint checkpoint = checkpoint();
        return Stream.concat(checkpoint.trainable().stream(), checkpoint.frozen().stream())
                .mapToLong(CheckpointTensor::sizeBytes)
                .sum();
    }

    /** Reads the table of the weights, frozen ones included. */
    public OrtCheckpoint checkpoint() {
        return BaseWeights.readOver(path);
    }

    /** The graph of hidden states at response positions. */
    public Path hiddenModel() {
        return path.resolve(ArtifactDirectory.HIDDEN_MODEL);
    }
}
