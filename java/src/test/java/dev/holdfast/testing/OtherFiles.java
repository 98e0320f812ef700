package dev.holdfast.testing;

import dev.holdfast.runtime.TrainingFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Training files with one of them exchanged or left out. */
public final class OtherFiles {
    private OtherFiles() {}

    /** The files of an artifact with another checkpoint. */
    public static TrainingFiles withCheckpoint(Path directory, Path checkpoint) {
        TrainingFiles files = TrainingFiles.in(directory);
        return new TrainingFiles(
                checkpoint, files.trainingModel(), files.evalModel(), files.optimizerModel(), List.of());
    }

    /** The same files, of whose checkpoint so much is expected. */
    public static TrainingFiles expecting(TrainingFiles files, List<String> parameters) {
        return new TrainingFiles(
                files.checkpoint(), files.trainingModel(), files.evalModel(), files.optimizerModel(), parameters);
    }

    /** The files of an artifact that only trains: without evaluation, and without optimizer unless it is wanted. */
    public static TrainingFiles trainingAlone(Path directory, boolean withOptimizer) {
        TrainingFiles files = TrainingFiles.in(directory);
        return new TrainingFiles(
                files.checkpoint(),
                files.trainingModel(),
                Optional.empty(),
                files.optimizerModel().filter(model -> withOptimizer),
                List.of());
    }
}
