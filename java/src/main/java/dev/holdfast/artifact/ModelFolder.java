package dev.holdfast.artifact;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model that can be run: weights in a checkpoint, with graphs beside it that point into them. An artifact is one, and so is every
 * checkpoint of a run.
 *
 * @param path the folder of checkpoint and graphs
 * @param model the model's sizes and the names of embedding and head
 * @param tokenizer the folder of the tokenizer's files and {@code config.json}
 */
public record ModelFolder(Path path, Manifest.Model model, Path tokenizer) {
    /** The description of the model in a run's checkpoint. */
    public static final String MODEL = "model.json";

    private static final String PREFIX = "checkpoint-";

    /**
     * Finds the model of an artifact, of a run (its latest checkpoint), or of one checkpoint of a run.
     *
     * @throws InvalidInputException if the folder is none of these, or a run without a checkpoint
     */
    public static ModelFolder resolve(Path path) {
        if (ArtifactDirectory.isArtifact(path)) {
            return new ModelFolder(path, ArtifactDirectory.readManifest(path).model(), path);
        }
        if (Files.isRegularFile(path.resolve(MODEL))) {
            return ofCheckpoint(path);
        }
        if (!Files.isDirectory(path)) {
            throw new InvalidInputException(path + ": expected an artifact, a run or a checkpoint, got no folder");
        }
        return latestCheckpoint(path)
                .map(ModelFolder::ofCheckpoint)
                .orElseThrow(
                        () -> new InvalidInputException(
                                path
                                        + ": expected an artifact, a run or a checkpoint, got a folder without manifest.json and without checkpoints"));
    }

    /** Whether {@link #resolve} would find a model. */
    public static boolean isModel(Path path) {
        return ArtifactDirectory.isArtifact(path)
                || Files.isRegularFile(path.resolve(MODEL))
                || latestCheckpoint(path).isPresent();
    }

    private static ModelFolder ofCheckpoint(Path path) {
        Path run = path.toAbsolutePath().normalize().getParent();
        return new ModelFolder(path, JsonFiles.read(path.resolve(MODEL), Manifest.Model.class), run);
    }

    /** The folder of a run's checkpoint after so many optimizer steps. */
    public static Path checkpointOf(Path run, int step) {
        return run.resolve(PREFIX + step);
    }

    /** The checkpoints of a run, oldest first; those that were never completed are left out. */
    public static List<Path> checkpoints(Path run) {
        if (!Files.isDirectory(run)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(run)) {
            return entries.filter(entry -> stepOf(entry).isPresent() && Files.isRegularFile(entry.resolve(MODEL)))
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

    /** The weights' file. */
    public Path checkpointFile() {
        return path.resolve(ArtifactDirectory.CHECKPOINT);
    }

    /** Reads the table of the weights. */
    public OrtCheckpoint checkpoint() {
        return OrtCheckpoint.read(checkpointFile());
    }

    /** The graph of hidden states at response positions. */
    public Path hiddenModel() {
        return path.resolve(ArtifactDirectory.HIDDEN_MODEL);
    }
}
