package dev.holdfast.artifact;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of a job of both stages, which holds a run of each.
 *
 * @param path the folder
 */
public record StagesFolder(Path path) {
    private static final String MODEL = "model";

    /** The packaged model inside of a finished run. */
    public static Path packagedModel(Path run) {
        return run.resolve(MODEL);
    }

    /** The run of supervised fine-tuning, whose model is the reference. */
    public Path sft() {
        return path.resolve("sft");
    }

    /** The anchored run, whose model is the result. */
    public Path anchor() {
        return path.resolve("anchor");
    }

    /** What the stages gained and what they cost, where there were rows to tell. */
    public Path comparison() {
        return path.resolve("comparison.json");
    }

    /** Whether a job of both stages has begun here. */
    public boolean hasBegun() {
        return Files.isDirectory(sft()) || Files.isDirectory(anchor());
    }

    /** The anchored run, if it is finished. */
    public Optional<Path> result() {
        return Optional.of(anchor()).filter(run -> DeployableFolder.isDeployable(packagedModel(run)));
    }

    /** What to name instead of the folder while there is no result; nothing if the folder holds no such runs. */
    Optional<String> advice() {
        if (!hasBegun()) {
            return Optional.empty();
        }
        return Optional.of("the folder of a finetune job whose anchored run is not finished; name one of its runs: "
                + sft() + " or " + anchor());
    }
}
