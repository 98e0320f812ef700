package dev.holdfast.cli;

import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
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
                command.addOption(flag(key));
                if (key.isSwitch()) {
                    command.addOption(negation(key));
                }
            }
        }
    }

    private static OptionSpec flag(ConfigKey<?> key) {
        String[] names = key.equals(ConfigKeys.DATA_TRAIN)
                ? new String[] {key.flagName(), "--" + key.name()}
                : new String[] {key.flagName()};
        return OptionSpec.builder(names)
                .type(String.class)
                .arity(key.isSwitch() ? "0..1" : "1")
                .fallbackValue("true")
                .paramLabel(label(key))
                .description(key.help()
                        + key.defaultText().map(value -> " (" + value + ")").orElse(""))
                .build();
    }

    private static OptionSpec negation(ConfigKey<?> key) {
        return OptionSpec.builder(NO + key.name())
                .hidden(true)
                .type(boolean.class)
                .build();
    }

    private static String label(ConfigKey<?> key) {
        String expectation = key.type().expectation();
        if (expectation.startsWith("a path")) {
            return "PATH";
        }
        return expectation.startsWith("a ") ? "N" : expectation.replace(" or ", "|");
    }

    /** Hands the file and the flags of a parsed command line to a reader, which tells all problems of both. */
    static ConfigReader read(ParseResult parsed, ConfigReader reader) {
        if (parsed.hasMatchedOption(CONFIG)) {
            reader.file(Path.of(parsed.<String>matchedOptionValue(CONFIG, "")));
        }
        for (OptionSpec option : parsed.matchedOptions()) {
            addMatched(option, reader);
        }
        addUnknown(parsed.unmatched(), reader);
        return reader;
    }

    private static void addMatched(OptionSpec option, ConfigReader reader) {
        String name = option.longestName();
        if (name.startsWith(NO)) {
            reader.flag(name.substring(NO.length()), "false");
        } else if (ConfigKeys.find(name.substring(2)).isPresent()) {
            reader.flag(name.substring(2), option.getValue());
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
