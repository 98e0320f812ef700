package dev.holdfast.cli;

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
import picocli.CommandLine.Model.CommandSpec;

/** Turns what went wrong into one line and an exit code; a configuration has a line for each of its problems. */
final class Failures {
    private final Console console;

    Failures(Console console) {
        this.console = console;
    }

    /** Reports a failed command and returns the exit code. */
    int report(Throwable failure, CommandSpec command) {
        int code = report(failure);
        if (code == ExitCode.USAGE) {
            pointToHelp(command);
        }
        return code;
    }

    /** Reports a failure and returns the exit code. */
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

    /** Reports what is wrong with a command line and returns the exit code. */
    int report(FlagProblems problems, CommandSpec command) {
        problems.lines().forEach(line -> console.messages().println("error: " + line));
        if (!problems.isWrongUsage()) {
            return ExitCode.FAILURE;
        }
        pointToHelp(command);
        return ExitCode.USAGE;
    }

    private void pointToHelp(CommandSpec command) {
        console.messages().println("Try: " + command.qualifiedName() + " --help");
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
        return line(failure).lines().toList();
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
