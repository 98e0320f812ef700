package dev.holdfast.cli;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.StagesFolder;
import java.nio.file.Path;

/** Where the packaged model is that a flag means. */
final class PackagedModelPath {
    private PackagedModelPath() {}

    /** A finished run has its packaged model inside; any other folder stands for itself. */
    static Path of(Path model) {
        Path run = new StagesFolder(model).result().orElse(model);
        Path packaged = StagesFolder.packagedModel(run);
        return DeployableFolder.isDeployable(packaged) ? packaged : model;
    }
}
