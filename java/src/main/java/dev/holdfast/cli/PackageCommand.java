package dev.holdfast.cli;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.exporter.Packager;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes the deployable folder of a model. */
@Command(
        name = "package",
        customSynopsis = "holdfast package --run RUN --out DIR",
        description = {
            "Make the folder that a deployment loads.",
            "ONNX Runtime and onnxruntime-genai run it: decoder with a key-value cache, tokenizer, chat template.",
            "A finished run has this folder already: RUN/model."
        },
        footer = {
            "",
            "Examples:",
            "  holdfast package --run runs/anchor --out model",
            "  holdfast package --run runs/anchor/checkpoint-200 --out model-200"
        })
final class PackageCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(
            names = "--run",
            required = true,
            paramLabel = "RUN",
            description = "A run (its latest checkpoint), a checkpoint of a run, or an artifact")
    private Path run;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write, new or empty")
    private Path out;

    PackageCommand(Console console) {
        this.console = console;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--run", run);
        problems.requireFree("--out", out);
    }

    @Override
    public Integer call() {
        try (StagedProgress progress = new StagedProgress(console, "package")) {
            Packager.of(run).listener(progress::update).packageTo(out);
        }
        console.say("model       " + out.resolve(DeployableFolder.MODEL));
        console.say("Try: holdfast generate --model " + out + " --prompt \"...\"");
        return ExitCode.OK;
    }
}
