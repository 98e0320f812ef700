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
        customSynopsis = "holdfast package --run RUN --out DIR [--adapter]",
        description = {
            "Make the folder that a deployment loads.",
            "ONNX Runtime and onnxruntime-genai run it: decoder with a key-value cache, tokenizer, chat template.",
            "A finished run has this folder already: RUN/model. Low-rank adapters are merged into the weights there."
        },
        footer = {
            "",
            "Examples:",
            "  holdfast package --run runs/anchor --out model",
            "  holdfast package --run runs/anchor/checkpoint-200 --out model-200",
            "  holdfast package --run runs/lora --out base-and-adapter --adapter"
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

    @Option(
            names = "--adapter",
            description =
                    "Keep adapters apart: the base model, adapter.onnx_adapter for ONNX Runtime, and the folder peft for PEFT")
    private boolean adaptersApart;

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
            Packager packager = Packager.of(run).listener(progress::update);
            (adaptersApart ? packager.adaptersApart() : packager).packageTo(out);
        }
        console.say("model       " + out.resolve(DeployableFolder.MODEL));
        if (adaptersApart) {
            console.say("adapter     " + out.resolve(DeployableFolder.ADAPTER));
            console.say("for PEFT    " + out.resolve(DeployableFolder.PEFT));
        }
        console.say("Try: holdfast generate --model " + out + " --prompt \"...\"");
        return ExitCode.OK;
    }
}
