package dev.holdfast.cli;

import dev.holdfast.files.NewFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** What is wrong with the flags of a command and with the files they name, gathered so that all is told at once. */
final class FlagProblems {
    private final List<String> wrongUsage = new ArrayList<>();
    private final List<String> badInput = new ArrayList<>();

    /** The problems of a command line: those of its words, then those that the command itself finds. */
    static FlagProblems of(ParseResult parsed) {
        FlagProblems problems = new FlagProblems();
        CommandSpec command = parsed.commandSpec();
        for (Exception failure : parsed.errors()) {
            UsageFault.describe(failure, command).stream()
                    .filter(problem -> !problems.concerns(flagOf(problem)))
                    .forEach(problems::wrongUsage);
        }
        if (command.userObject() instanceof CheckedCommand checked) {
            checked.check(problems);
        }
        return problems;
    }

    /** The problem of a command of commands that was given none of them. */
    static FlagProblems ofNoCommand(CommandSpec command) {
        FlagProblems problems = new FlagProblems();
        problems.wrongUsage(command.name() + ": expected a command: "
                + String.join(" or ", command.subcommands().keySet()) + ", got none");
        return problems;
    }

    /** Notes a value out of its range, unless it lies in it. */
    void require(boolean holds, String flag, String expected, Object got) {
        if (!holds) {
            wrongUsage(flag + ": expected " + expected + ", got " + got);
        }
    }

    /** Whether something is wrong with this flag already, so that nothing that follows from it need be told. */
    boolean concerns(String flag) {
        return wrongUsage.stream().anyMatch(problem -> flagOf(problem).equals(flag));
    }

    private static String flagOf(String problem) {
        return problem.split(":", 2)[0];
    }

    void wrongUsage(String problem) {
        wrongUsage.add(problem);
    }

    /** Notes a path that does not exist. */
    void requireExisting(String flag, Path path) {
        if (path != null && Files.notExists(path)) {
            badInput.add(flag + ": no such file or folder: " + path);
        }
    }

    /** Notes a folder to be written that holds something, or is none. */
    void requireFree(String flag, Path folder) {
        if (folder != null && !NewFolder.isFree(folder)) {
            badInput.add(flag + ": " + NewFolder.takenForGood(folder));
        }
    }

    boolean isEmpty() {
        return wrongUsage.isEmpty() && badInput.isEmpty();
    }

    /** Whether it is the command line that is wrong, not only what it names. */
    boolean isWrongUsage() {
        return !wrongUsage.isEmpty();
    }

    /** One line for each problem. */
    List<String> lines() {
        return Stream.of(wrongUsage, badInput).flatMap(List::stream).toList();
    }
}
