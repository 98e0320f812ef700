package dev.holdfast.cli;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.weights.PeftAdapter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Turns a model into an artifact directory. */
@Command(
        name = "export",
        customSynopsis = "holdfast export --model MODEL --out ARTIFACT [FLAGS]",
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
            "An artifact with adapters trains these alone, whatever the job; an artifact without them trains all",
            "weights, or the adapters that a job asks for by the same keys.",
            "",
            "Examples:",
            "  holdfast export --model SmolLM2-135M-Instruct --out artifacts/smollm2",
            "  holdfast export --model smollm2.Q4_1.gguf --out artifacts/smollm2",
            "  holdfast export --model Qwen2.5-3B --out artifacts/qwen --lora_r 16 --frozen_type bfloat16",
            "  holdfast export --model SmolLM2-135M --adapter peft-adapter --out artifacts/adapted"
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

    @Mixin
    private LoraFlags lora;

    @Option(
            names = "--frozen_type",
            paramLabel = "float32|bfloat16",
            defaultValue = "float32",
            description = "How matrices that adapters leave frozen are stored, on disk and in memory")
    private FrozenType frozenType;

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "Adapter of PEFT to begin with: its settings and values take the place of new adapters'")
    private Optional<Path> adapter = Optional.empty();

    @Option(names = "--merge_adapter", paramLabel = "DIR", description = "Adapter of PEFT to add to the weights")
    private Optional<Path> mergedAdapter = Optional.empty();

    /** Names of types as Python users know them. */
    private enum FrozenType {
        FLOAT32(ElementType.FLOAT),
        BFLOAT16(ElementType.BFLOAT16);

        private final ElementType type;

        FrozenType(ElementType type) {
            this.type = type;
        }
    }

    ExportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        ArtifactDirectory artifact;
        try (StagedProgress progress = new StagedProgress(console, "export")) {
            artifact = exporter().listener(progress::update).export(out);
        }
        Manifest manifest = artifact.manifest();
        String trained = artifact.lora().isEmpty()
                ? ""
                : ", LoRA of rank " + manifest.model().lora().r() + ", " + Sizes.parameters(manifest.trainableCount())
                        + " trained";
        console.say(String.format(
                "artifact  %s  (%s, %s, %s%s)",
                out,
                manifest.model().name(),
                manifest.model().family(),
                Sizes.parameters(manifest.parameterCount()),
                trained));
        return ExitCode.OK;
    }

    private Exporter exporter() {
        Exporter exporter =
                Exporter.of(model).kernels(kernels).frozenType(frozenType.type).seed(lora.seed());
        lora.config().ifPresent(exporter::lora);
        adapter.map(PeftAdapter::read).ifPresent(exporter::adapter);
        mergedAdapter.map(PeftAdapter::read).ifPresent(exporter::mergedAdapter);
        return exporter;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--model", model);
        problems.requireFree("--out", out);
        lora.check(problems);
        adapter.ifPresent(folder -> problems.requireExisting("--adapter", folder));
        mergedAdapter.ifPresent(folder -> problems.requireExisting("--merge_adapter", folder));
        boolean adapted = adapter.isPresent() || lora.isAskedFor();
        problems.require(
                adapter.isEmpty() || !lora.isAskedFor(),
                "--adapter",
                "no --lora_r beside it, for the adapter brings its settings",
                "both");
        problems.require(
                adapted || frozenType == FrozenType.FLOAT32,
                "--frozen_type",
                "--lora_r or --adapter beside it, without which nothing is frozen",
                "it alone");
    }
}
