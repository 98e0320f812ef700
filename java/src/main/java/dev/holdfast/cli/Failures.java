package dev.holdfast.cli;

import dev.holdfast.config.Nearest;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.NonFiniteLossException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one line and an exit code; a configuration has a line for each of its problems. */
final class Failures {
    private final Console console;

    Failures(Console console) {
        this.console = console;
    }

    /** Reports a failed command and returns the exit code. */
    int report(Throwable failure) {
        console.results().flush();
        for (String line : lines(failure)) {
            console.messages().println("error: " + line);
        }
        if (console.verbosity() == Verbosity.VERBOSE) {
            failure.printStackTrace(console.messages());
        }
        return exitCode(failure);
    }

    /** Reports a command line that cannot be understood and returns the exit code. */
    int reportUsage(ParameterException failure) {
        CommandSpec command = failure.getCommandLine().getCommandSpec();
        console.messages().println("error: " + usageProblem(failure, command));
        console.messages().println("Try: " + command.qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private static String usageProblem(ParameterException failure, CommandSpec command) {
        if (failure instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            return unknown(unmatched.getUnmatched().get(0), command);
        }
        if (failure instanceof MissingParameterException missing
                && missing.getMissing().get(0) instanceof OptionSpec option) {
            return option.longestName() + ": expected " + option.paramLabel() + ", got nothing";
        }
        return failure.getMessage();
    }

    private static String unknown(String argument, CommandSpec command) {
        boolean isFlag = argument.startsWith("-");
        boolean isCommand = !isFlag && !command.subcommands().isEmpty();
        List<String> known = isCommand
                ? List.copyOf(command.subcommands().keySet())
                : List.copyOf(command.optionsMap().keySet());
        String name = isFlag ? argument.split("=", 2)[0] : argument;
        String hint = isFlag || isCommand
                ? Nearest.to(name, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("")
                : "";
        return name + ": " + (isFlag ? "unknown flag" : isCommand ? "unknown command" : "unexpected argument") + hint;
    }

    private static int exitCode(Throwable failure) {
        if (failure instanceof InvalidConfigurationException) {
            return ExitCode.USAGE;
        }
        if (failure instanceof NonFiniteLossException) {
            return ExitCode.NON_FINITE_LOSS;
        }
        return failure instanceof CancellationException ? ExitCode.INTERRUPTED : ExitCode.FAILURE;
    }

    private static List<String> lines(Throwable failure) {
        if (failure instanceof InvalidConfigurationException invalid) {
            return invalid.problems();
        }
        return List.of(line(failure));
    }

    private static String line(Throwable failure) {
        if (failure instanceof HoldfastException
                || failure instanceof IllegalArgumentException
                || failure instanceof CancellationException) {
            return String.valueOf(failure.getMessage());
        }
        if (failure instanceof UncheckedIOException wrapped) {
            return line(wrapped.getCause());
        }
        if (failure instanceof IOException input) {
            return fileProblem(input);
        }
        if (failure instanceof OutOfMemoryError) {
            return "out of memory: " + failure.getMessage()
                    + "; take a smaller per_device_train_batch_size or max_length";
        }
        return "internal error: " + failure + "; please report it with what --verbose prints";
    }

    private static String fileProblem(IOException failure) {
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + ": no such file";
        }
        if (failure instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied";
        }
        if (failure instanceof FileAlreadyExistsException existing) {
            return existing.getFile() + ": exists already";
        }
        boolean named = failure instanceof FileSystemException;
        return named || failure.getMessage() != null ? failure.getMessage() : "input or output failed: " + failure;
    }
}
