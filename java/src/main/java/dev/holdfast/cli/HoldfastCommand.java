package dev.holdfast.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program itself. */
@Command(
        name = "holdfast",
        description = "Fine-tune language models on ONNX Runtime without making them forget.",
        customSynopsis = "holdfast COMMAND [FLAGS]",
        versionProvider = Versions.class,
        footer = {
            "",
            "From a checkpoint to a fine-tuned model:",
            "  holdfast export   --model SmolLM2-135M-Instruct --out artifact",
            "  holdfast finetune --artifact artifact --data train.jsonl --out run",
            "  holdfast package  --run run/anchor --out model",
            "  holdfast generate --model model --chat \"What is the capital of France?\"",
            "",
            "holdfast COMMAND --help tells the flags of a command, with examples.",
            "",
            "Exit codes: 0 done, 1 failed or bad input, 2 wrong usage or configuration,",
            "3 loss not finite, 4 ended by a budget of drift, 5 interrupted and resumable."
        })
final class HoldfastCommand {
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the version")
    private boolean version;
}
