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
        customSynopsis = "holdfast export --model DIR|FILE.gguf --out ARTIFACT",
        description =
                "Turn a Hugging Face folder or a GGUF file into the artifact directory that training starts from.",
        footer = {
            "",
            "Families: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GPT2LMHeadModel.",
            "",
            "Example:",
            "  holdfast export --model SmolLM2-135M-Instruct --out artifacts/smollm2"
        })
final class ExportCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--model", required = true, paramLabel = "DIR|FILE.gguf", description = "The model to export")
    private Path model;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "The artifact directory, new or empty")
    private Path out;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            description =
                    "Operators of the training graphs: holdfast (fused, native) or stock (any ONNX Runtime has them)")
    private Kernels kernels;

    ExportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        ArtifactDirectory artifact;
        try (StagedProgress progress = new StagedProgress(console, "export")) {
            artifact = exporter().listener(progress::update).export(out);
        }
        console.say(String.format(
                "artifact  %s  (%s, %s, %s)",
                out,
                artifact.manifest().model().name(),
                artifact.manifest().model().family(),
                Sizes.parameters(artifact.manifest().parameterCount())));
        return ExitCode.OK;
    }

    private Exporter exporter() {
        Exporter exporter = Exporter.of(model);
        return kernels == null ? exporter : exporter.kernels(kernels);
    }
}
