package dev.holdfast.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Measurements of Holdfast on this machine. */
@Command(
        name = "bench",
        customSynopsis = "holdfast bench COMMAND [FLAGS]",
        description = "Measure what training costs on this machine.",
        footer = {
            "",
            "Example:",
            "  holdfast bench step --artifact artifacts/smollm2 --batch batch.npz --json step.json"
        })
final class BenchCommand {
    private BenchCommand() {}

    static CommandLine withSubcommands(Console console) {
        return new CommandLine(new BenchCommand())
                .addSubcommand(new BenchStepCommand(console))
                .addSubcommand(new BenchKernelsCommand(console));
    }
}
