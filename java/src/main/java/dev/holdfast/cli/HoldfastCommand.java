package dev.holdfast.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;

/** The program itself. */
@Command(
        name = "holdfast",
        description = "Fine-tune language models on ONNX Runtime without making them forget.",
        customSynopsis = "holdfast COMMAND [FLAGS]",
        versionProvider = Versions.class,
        subcommands = HelpCommand.class,
        footer = {
            "",
            "holdfast COMMAND --help tells the flags of a command, with examples.",
            "",
            "Exit codes: 0 done, 1 failed or bad input, 2 wrong usage or configuration, 3 loss not finite,",
            "4 drift budget reached, 5 interrupted and resumable."
        })
final class HoldfastCommand {
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the version")
    private boolean version;
}
