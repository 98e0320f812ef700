package dev.holdfast.report;

import dev.holdfast.artifact.RunFolder;
import dev.holdfast.artifact.StagesFolder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.files.OutputFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The page that shows a run, or a job of both stages. */
public final class Report {
    private Report() {}

    /**
     * Writes the page beside the files that it is made of, whole or not at all.
     *
     * @param folder of a run, whatever its state, or of a job of both stages
     * @return the page
     * @throws InvalidInputException if the folder is neither
     * @throws dev.holdfast.error.HoldfastException if a file cannot be read or written, or is not what its name says
     */
    public static Path write(Path folder) {
        Path target = new RunFolder(folder).report();
        OutputFile.writeWhole(target, page(folder).getBytes(StandardCharsets.UTF_8));
        return target;
    }

    private static String page(Path folder) {
        RunFolder run = new RunFolder(folder);
        if (run.hasRun()) {
            return RunPage.of(RunFiles.read(run));
        }
        StagesFolder stages = new StagesFolder(folder);
        if (stages.hasBegun()) {
            return StagesPage.of(stages);
        }
        throw new InvalidInputException(folder + ": expected the folder of a run or of a finetune job, got one without "
                + run.provenance().getFileName() + "; name the folder that --out named");
    }
}
