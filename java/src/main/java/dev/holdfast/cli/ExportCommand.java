package dev.holdfast.cli;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.onnx.Kernels;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Turns a model into an artifact directory. */
@Command(
        name = "export",
        customSynopsis = "holdfast export --model MODEL --out ARTIFACT",
        description = {
            "Turn a model into the artifact that training starts from.",
            "The artifact holds ONNX graphs for training, evaluation and optimizer, the weights, and the tokenizer."
        },
        footer = {
            "",
            "MODEL is a Hugging Face folder (config.json, safetensors, tokenizer.json) or a GGUF file.",
            "Families: Llama, Mistral, Qwen2, Qwen3, GPT-2.",
            "GGUF types: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K.",
            "",
            "Examples:",
            "  holdfast export --model SmolLM2-135M-Instruct --out artifacts/smollm2",
            "  holdfast export --model smollm2.Q4_1.gguf --out artifacts/smollm2"
        })
final class ExportCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model to export")
    private Path model;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "ARTIFACT",
            description = "The folder to write, new or empty")
    private Path out;

    @Option(
            names = "--kernels",
            paramLabel = "holdfast|stock",
            defaultValue = "holdfast",
            description = "Operators of the training graphs: Holdfast's native ones, or those of any ONNX Runtime")
    private Kernels kernels;

    ExportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        ArtifactDirectory artifact;
        try (StagedProgress progress = new StagedProgress(console, "export")) {
            artifact = Exporter.of(model)
                    .kernels(kernels)
                    .listener(progress::update)
                    .export(out);
        }
        console.say(String.format(
                "artifact  %s  (%s, %s, %s)",
                out,
                artifact.manifest().model().name(),
                artifact.manifest().model().family(),
                Sizes.parameters(artifact.manifest().parameterCount())));
        return ExitCode.OK;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--model", model);
        problems.requireFree("--out", out);
    }
}
