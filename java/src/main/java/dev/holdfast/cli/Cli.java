package dev.holdfast.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** The command line: finds the command that the arguments name, runs it, and turns failures into messages and exit codes. */
final class Cli {
    private static final String LOG_LEVEL_PROPERTY = "holdfast.log.level";

    private final Console console;
    private final CommonFlags common = new CommonFlags();
    private final CommandLine commandLine;

    Cli(Console console) {
        this.console = console;
        this.commandLine = build();
    }

    private CommandLine build() {
        CommandLine root = new CommandLine(new HoldfastCommand());
        for (Object command : Commands.all(console)) {
            root.addSubcommand(command);
        }
        prepare(root);
        root.setCaseInsensitiveEnumValuesAllowed(true);
        root.setColorScheme(CommandLine.Help.defaultColorScheme(console.colour() ? Ansi.ON : Ansi.OFF));
        root.setOut(new PrintWriter(console.results(), true));
        root.setErr(new PrintWriter(console.messages(), true));
        root.setUsageHelpWidth(
                Math.max(80, Math.min(120, console.terminalColumns().orElse(100))));
        root.setUsageHelpLongOptionsMaxWidth(40);
        return root;
    }

    private void prepare(CommandLine command) {
        if (command.getCommand() instanceof TrainingCommand training) {
            ConfigFlags.addTo(command.getCommandSpec(), training.jobs());
            command.setUnmatchedArgumentsAllowed(true);
        }
        if (!(command.getCommand() instanceof CommandLine.HelpCommand)) {
            command.getCommandSpec().addMixin("common", CommandSpec.forAnnotatedObject(common));
        }
        command.getCommandSpec()
                .usageMessage()
                .sortOptions(false)
                .optionListHeading("%nFlags:%n")
                .commandListHeading("%nCommands:%n");
        command.getSubcommands().values().forEach(this::prepare);
    }

    /** Runs the command that the arguments name and returns the exit code. */
    int run(String... arguments) {
        Failures failures = new Failures(console);
        commandLine.setParameterExceptionHandler((failure, given) -> failures.reportUsage(failure));
        commandLine.setExecutionExceptionHandler((failure, command, parsed) -> failures.report(failure));
        commandLine.setExecutionStrategy(this::execute);
        try {
            return commandLine.execute(underscored(arguments));
        } catch (Error fatal) {
            return failures.report(fatal);
        } finally {
            console.results().flush();
        }
    }

    private int execute(ParseResult parsed) {
        console.setVerbosity(common.verbosity());
        System.setProperty(LOG_LEVEL_PROPERTY, logLevel(common.verbosity()));
        if (!parsed.hasSubcommand() && !parsed.isUsageHelpRequested() && !parsed.isVersionHelpRequested()) {
            commandLine.usage(commandLine.getErr());
            return ExitCode.USAGE;
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static String logLevel(Verbosity verbosity) {
        return switch (verbosity) {
            case QUIET -> "ERROR";
            case NORMAL -> "WARN";
            case VERBOSE -> "INFO";
        };
    }

    /** The arguments with dashes inside of flags replaced by underscores where the flag is known so. */
    private String[] underscored(String[] arguments) {
        Set<String> known = new HashSet<>();
        collectFlags(commandLine.getCommandSpec(), known);
        List<String> replaced = new ArrayList<>();
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            String flag =
                    parts[0].startsWith("--") ? "--" + parts[0].substring(2).replace('-', '_') : parts[0];
            boolean isSpelling = !known.contains(parts[0]) && known.contains(flag);
            replaced.add(isSpelling ? flag + argument.substring(parts[0].length()) : argument);
        }
        return replaced.toArray(String[]::new);
    }

    private static void collectFlags(CommandSpec command, Set<String> flags) {
        flags.addAll(command.optionsMap().keySet());
        command.subcommands().values().forEach(subcommand -> collectFlags(subcommand.getCommandSpec(), flags));
    }
}
