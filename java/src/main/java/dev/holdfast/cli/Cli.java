package dev.holdfast.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;

/** The command line: finds the command that the arguments name, runs it, and turns failures into messages and exit codes. */
final class Cli {
    private static final String LOG_LEVEL_PROPERTY = "holdfast.log.level";

    private final Console console;
    private final Failures failures;
    private final CommonFlags common = new CommonFlags();
    private final CommandLine commandLine;

    Cli(Console console) {
        this.console = console;
        this.failures = new Failures(console);
        this.commandLine = build();
    }

    private CommandLine build() {
        CommandLine root = new CommandLine(new HoldfastCommand());
        for (Object command : Commands.all(console)) {
            root.addSubcommand(command);
        }
        root.addSubcommand(new CommandLine.HelpCommand());
        prepare(root);
        root.setCaseInsensitiveEnumValuesAllowed(true);
        root.setOverwrittenOptionsAllowed(true);
        root.setColorScheme(CommandLine.Help.defaultColorScheme(console.colour() ? Ansi.ON : Ansi.OFF));
        root.setOut(new PrintWriter(console.results(), true));
        root.setErr(new PrintWriter(console.messages(), true));
        root.setUsageHelpWidth(
                Math.max(80, Math.min(120, console.terminalColumns().orElse(100))));
        return root;
    }

    private void prepare(CommandLine command) {
        command.getCommandSpec().parser().collectErrors(true);
        if (command.getCommand() instanceof TrainingCommand training) {
            ConfigFlags.addTo(command.getCommandSpec(), training.jobs());
            command.setUnmatchedArgumentsAllowed(true);
        }
        if (!(command.getCommand() instanceof CommandLine.HelpCommand)) {
            command.getCommandSpec().addMixin("common", CommandSpec.forAnnotatedObject(common));
        }
        command.getCommandSpec().usageMessage().commandListHeading("%nCommands:%n");
        command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, FlagTable::of);
        command.getSubcommands().values().forEach(this::prepare);
    }

    /** Runs the command that the arguments name and returns the exit code. */
    int run(String... arguments) {
        commandLine.setExecutionExceptionHandler(
                (failure, command, parsed) -> failures.report(failure, command.getCommandSpec()));
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
        ParseResult last = last(parsed);
        if (!last.isUsageHelpRequested() && !last.isVersionHelpRequested()) {
            FlagProblems problems = FlagProblems.of(last);
            if (!problems.isEmpty()) {
                return failures.report(problems, last.commandSpec());
            }
            if (!last.commandSpec().subcommands().isEmpty() && last != parsed) {
                return failures.report(FlagProblems.ofNoCommand(last.commandSpec()), last.commandSpec());
            }
            if (last == parsed) {
                commandLine.usage(commandLine.getErr());
                return ExitCode.USAGE;
            }
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    /** What was parsed for the innermost command. */
    private static ParseResult last(ParseResult parsed) {
        return parsed.hasSubcommand() ? last(parsed.subcommand()) : parsed;
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
