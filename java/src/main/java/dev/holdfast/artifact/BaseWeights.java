package dev.holdfast.artifact;

import dev.holdfast.files.FileDigest;
import dev.holdfast.files.LinkedFile;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The frozen weights of a model with low-rank adapters: the file {@value #NAME} beside its graphs, in the format of a checkpoint, over 2 GiB
 * with its data beside it. Every folder that has them shares them by hard links.
 */
public final class BaseWeights {
    /** The file's name. */
    public static final String NAME = "base";

    private BaseWeights() {}

    /** Where a folder has its frozen weights. */
    public static Path in(Path folder) {
        return folder.resolve(NAME);
    }

    /**
     * Reads the table of a folder's weights: its checkpoint's, and the frozen ones' where there are any.
     *
     * @throws dev.holdfast.error.FileAccessException if the checkpoint is missing or a file cannot be read
     * @throws dev.holdfast.error.MalformedFileException if a file is truncated or corrupt
     */
    public static OrtCheckpoint readOver(Path folder) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(folder.resolve(ArtifactDirectory.CHECKPOINT));
        Path base = in(folder);
        return Files.exists(base) ? checkpoint.over(OrtCheckpoint.read(base)) : checkpoint;
    }

    /**
     * Makes a checkpoint the frozen weights of a folder, too.
     *
     * @param checkpoint an artifact's checkpoint or frozen weights
     * @param digests size and digest of files of the artifact by name
     * @return those of the files that the folder has now
     * @throws dev.holdfast.error.FileAccessException if they can neither be linked nor copied
     */
    public static Map<String, FileDigest> link(Path checkpoint, Path folder, Map<String, FileDigest> digests) {
        Map<String, FileDigest> linked = new TreeMap<>();
        link(checkpoint, in(folder), digests, linked);
        Path data = OrtCheckpoint.weightsFile(checkpoint);
        if (!data.equals(checkpoint)) {
            link(data, OrtCheckpoint.dataPath(in(folder)), digests, linked);
        }
        return linked;
    }

    private static void link(Path file, Path link, Map<String, FileDigest> digests, Map<String, FileDigest> linked) {
        LinkedFile.create(link, file);
        FileDigest known = digests.get(file.getFileName().toString());
        linked.put(link.getFileName().toString(), known == null ? FileDigest.of(link) : known);
    }
}
