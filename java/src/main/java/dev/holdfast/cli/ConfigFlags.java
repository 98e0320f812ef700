package dev.holdfast.cli;

import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The flags that come from the table of configuration keys. */
final class ConfigFlags {
    private static final String CONFIG = "--config";
    private static final String NO = "--no_";

    private ConfigFlags() {}

    /** Gives a command {@code --config} and a flag for every key that one of the jobs takes. */
    static void addTo(CommandSpec command, Set<Job> jobs) {
        command.addOption(OptionSpec.builder(CONFIG)
                .type(String.class)
                .paramLabel("FILE")
                .description("YAML file with any of the keys below; flags count more than the file")
                .build());
        for (ConfigKey<?> key : ConfigKeys.all()) {
            if (key.jobs().stream().anyMatch(jobs::contains)) {
                command.addOption(flag(key, jobs));
                if (key.isSwitch()) {
                    command.addOption(negation(key));
                }
            }
        }
    }

    private static OptionSpec flag(ConfigKey<?> key, Set<Job> jobs) {
        String[] names = key.equals(ConfigKeys.DATA_TRAIN)
                ? new String[] {key.flagName(), "--" + key.name()}
                : new String[] {key.flagName()};
        return OptionSpec.builder(names)
                .type(String.class)
                .arity("0..1")
                .fallbackValue(key.isSwitch() ? "true" : "")
                .paramLabel(label(key))
                .description(key.help()
                        + key.defaultText()
                                .map(value -> " (default " + value + ")")
                                .orElseGet(() -> need(key, jobs)))
                .build();
    }

    /** Which of a command's jobs cannot do without the key. */
    private static String need(ConfigKey<?> key, Set<Job> jobs) {
        if (key.requiredBy().containsAll(jobs)) {
            return " (required)";
        }
        String needing = key.requiredBy().stream()
                .filter(jobs::contains)
                .sorted()
                .map(Job::command)
                .collect(Collectors.joining(" and "));
        return needing.isEmpty() ? "" : " (required by " + needing + ")";
    }

    private static OptionSpec negation(ConfigKey<?> key) {
        return OptionSpec.builder(NO + key.name())
                .hidden(true)
                .type(boolean.class)
                .build();
    }

    private static String label(ConfigKey<?> key) {
        if (key.isSwitch()) {
            return "[true|false]";
        }
        String expectation = key.type().expectation();
        if (expectation.startsWith("a path")) {
            return "PATH";
        }
        if (expectation.startsWith("names")) {
            return "NAME,...";
        }
        return expectation.startsWith("a ") ? "N" : expectation.replace(" or ", "|");
    }

    /** Hands the file and the flags of a parsed command line to a reader, which tells all problems of both. */
    static ConfigReader read(ParseResult parsed, ConfigReader reader) {
        if (parsed.hasMatchedOption(CONFIG)) {
            reader.file(Path.of(parsed.<String>matchedOptionValue(CONFIG, "")));
        }
        inOrderOfLastMention(parsed).forEach(option -> addMatched(option, reader));
        addUnknown(parsed.unmatched(), reader);
        return reader;
    }

    /** Of a switch and its negation, as of everything that is said twice, the later one counts. */
    private static List<OptionSpec> inOrderOfLastMention(ParseResult parsed) {
        List<String> flags = parsed.originalArgs().stream()
                .map(argument -> argument.split("=", 2)[0])
                .toList();
        return parsed.matchedOptions().stream()
                .sorted(Comparator.comparingInt(option -> Arrays.stream(option.names())
                        .mapToInt(flags::lastIndexOf)
                        .max()
                        .orElse(-1)))
                .toList();
    }

    private static void addMatched(OptionSpec option, ConfigReader reader) {
        String name = option.longestName();
        if (name.startsWith(NO)) {
            reader.flag(name.substring(NO.length()), "false");
        } else {
            ConfigKeys.find(name.substring(2))
                    .ifPresent(key -> reader.flag(key.flagName().substring(2), option.getValue()));
        }
    }

    /** What the command does not have: the reader knows which flags belong to another job or what they resemble; the rest has no meaning. */
    private static void addUnknown(List<String> unmatched, ConfigReader reader) {
        boolean valueMayFollow = false;
        for (String argument : unmatched) {
            if (argument.startsWith("--")) {
                String[] parts = argument.substring(2).split("=", 2);
                reader.flag(parts[0], parts.length > 1 ? parts[1] : "");
                valueMayFollow = parts.length == 1;
            } else if (valueMayFollow) {
                valueMayFollow = false;
            } else {
                reader.unexpected(argument);
                valueMayFollow = argument.startsWith("-");
            }
        }
    }
}
