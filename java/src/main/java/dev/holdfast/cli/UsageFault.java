package dev.holdfast.cli;

import dev.holdfast.config.Nearest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Puts the complaints of the command line's parser into lines as the rest of the program writes them. */
final class UsageFault {
    private UsageFault() {}

    /** One line for each problem that a complaint holds. */
    static List<String> describe(Exception failure, CommandSpec command) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            return unknown(unmatched.getUnmatched(), command);
        }
        if (failure instanceof MissingParameterException missing) {
            return missing.getMissing().stream()
                    .map(argument -> missing(argument, missing, command))
                    .toList();
        }
        if (failure instanceof ParameterException wrong && wrong.getArgSpec() instanceof OptionSpec option) {
            String got = wrong.getValue() == null ? "nothing" : "\"" + wrong.getValue() + "\"";
            return List.of(option.longestName() + ": expected " + expectation(option) + ", got " + got);
        }
        return List.of(String.valueOf(failure.getMessage()));
    }

    /** A flag that is absent, or one that stands there without its value. */
    private static String missing(ArgSpec argument, MissingParameterException failure, CommandSpec command) {
        String name = argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
        return failure.getMessage().startsWith("Missing required option")
                ? name + ": missing: " + command.name() + " needs it"
                : name + ": expected " + argument.paramLabel() + ", got nothing";
    }

    private static String expectation(OptionSpec option) {
        Class<?> type = option.type();
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(" or "));
        }
        if (type == int.class || type == long.class) {
            return "a whole number";
        }
        return type == double.class ? "a number" : type == boolean.class ? "true or false" : option.paramLabel();
    }

    /** Values that follow an unknown flag are not told on their own. */
    private static List<String> unknown(List<String> arguments, CommandSpec command) {
        List<String> lines = new ArrayList<>();
        boolean valueMayFollow = false;
        for (String argument : arguments) {
            boolean isFlag = argument.startsWith("-");
            if (isFlag || !valueMayFollow) {
                lines.add(unknown(argument, isFlag, command));
            }
            valueMayFollow = isFlag && !argument.contains("=");
        }
        return lines;
    }

    private static String unknown(String argument, boolean isFlag, CommandSpec command) {
        boolean isCommand = !isFlag && !command.subcommands().isEmpty();
        List<String> known = isCommand
                ? List.copyOf(command.subcommands().keySet())
                : List.copyOf(command.optionsMap().keySet());
        String name = isFlag ? argument.split("=", 2)[0] : argument;
        boolean isWord = isCommand || argument.startsWith("--");
        String hint = isWord
                ? Nearest.to(name, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("")
                : "";
        return name + ": " + (isFlag ? "unknown flag" : isCommand ? "unknown command" : "unexpected argument") + hint;
    }
}
