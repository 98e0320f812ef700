package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Model.OptionSpec;

/** The flags in the help of a command: its own, the configuration's under the headings of their groups, and those of every command. */
final class FlagTable {
    private static final Set<String> OF_EVERY_COMMAND = Set.of("--quiet", "--verbose", "--help");
    private static final int INDENT = 2;

    private final Help help;
    private final int labelWidth;

    private FlagTable(Help help, List<OptionSpec> options) {
        this.help = help;
        this.labelWidth = options.stream()
                        .mapToInt(option -> label(option).plainString().length())
                        .max()
                        .orElse(0)
                + 2 * INDENT;
    }

    static String of(Help help) {
        List<OptionSpec> options = help.commandSpec().options().stream()
                .filter(option -> !option.hidden())
                .toList();
        FlagTable table = new FlagTable(help, options);
        List<OptionSpec> own = new ArrayList<>(options);
        List<OptionSpec> everywhere = removed(
                own,
                options.stream()
                        .filter(option -> OF_EVERY_COMMAND.contains(option.longestName()))
                        .toList());
        StringBuilder grouped = new StringBuilder();
        if (help.commandSpec().userObject() instanceof TrainingCommand) {
            for (FlagGroup group : FlagGroup.values()) {
                grouped.append(table.section(group.title(), removed(own, group.of(options))));
            }
        }
        return table.section("Flags", own) + grouped + table.section("Every command", everywhere);
    }

    private static List<OptionSpec> removed(List<OptionSpec> from, List<OptionSpec> taken) {
        from.removeAll(taken);
        return taken;
    }

    private String section(String title, List<OptionSpec> options) {
        if (options.isEmpty()) {
            return "";
        }
        int width = help.commandSpec().usageMessage().width();
        TextTable table = TextTable.forColumns(
                help.colorScheme(),
                new Column(labelWidth, INDENT, Column.Overflow.SPAN),
                new Column(width - labelWidth, 0, Column.Overflow.WRAP));
        for (OptionSpec option : options) {
            table.addRowValues(label(option), help.colorScheme().text(description(option)));
        }
        return System.lineSeparator() + title + ":" + System.lineSeparator() + table;
    }

    private Text label(OptionSpec option) {
        Text names = help.colorScheme().optionText(String.join(", ", option.names()));
        return option.arity().max() == 0 ? names : names.concat(" " + option.paramLabel());
    }

    private static String description(OptionSpec option) {
        String text = String.join(" ", option.description());
        if (option.defaultValue() != null || option.arity().max() > 0 && option.initialValue() instanceof Boolean) {
            return text + " (default " + (option.defaultValue() == null ? option.initialValue() : option.defaultValue())
                    + ")";
        }
        return option.required() ? text + " (required)" : text;
    }
}
