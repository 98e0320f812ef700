package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.ConfigKeys;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a newcomer reads first. */
class HelpTest {
    private static List<String> help(int columns, String... command) {
        ByteArrayOutputStream results = new ByteArrayOutputStream();
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        Console console = new Console(print(results), print(messages), OptionalInt.of(columns), false);
        String[] arguments = Arrays.copyOf(command, command.length + 1);
        arguments[command.length] = "--help";
        assertThat(new Cli(console).run(arguments)).isZero();
        assertThat(messages.size()).isZero();
        return results.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "export",
                "sft",
                "anchor",
                "finetune",
                "package",
                "generate",
                "score",
                "eval",
                "report",
                "validate",
                "schema",
                "doctor",
                "step",
                "bench",
                "bench step"
            })
    void everyCommandSaysInALineWhatItIsForAndShowsAnExample(String command) {
        List<String> lines = help(100, command.split(" "));
        assertThat(lines.get(0)).startsWith("Usage: holdfast " + command);
        assertThat(lines).anyMatch(line -> line.matches("Examples?:"));
        assertThat(lines).anyMatch(line -> line.startsWith("  holdfast " + command));
        assertThat(lines).allMatch(line -> line.length() <= 100);
        assertThat(lines).as("examples are whole lines").noneMatch(line -> line.matches("[a-z0-9./]+( .*)? --.*"));
    }

    @Test
    void theCommandsAreALineEach() {
        List<String> lines = help(100);
        int start = lines.indexOf("Commands:") + 1;
        assertThat(lines.subList(start, start + Commands.all(null).size() + 1))
                .allMatch(line -> line.matches("  [a-z]+ +[A-Z].*\\.") && line.length() <= 100);
    }

    @Test
    void everyKeyStandsUnderOneHeading() {
        List<Object> grouped = new ArrayList<>();
        for (FlagGroup group : FlagGroup.values()) {
            grouped.addAll(group.keys());
        }
        assertThat(grouped).containsExactlyInAnyOrderElementsOf(ConfigKeys.all());
    }

    @Test
    void trainingFlagsStandInGroupsWithTheirDefaults() {
        List<String> lines = help(100, "anchor");
        assertThat(lines)
                .containsSubsequence(
                        "Model and data:",
                        "Optimisation:",
                        "Low-rank adapters:",
                        "Anchoring:",
                        "Saving and logging:",
                        "Every command:")
                .anyMatch(line -> line.startsWith("  --learning_rate N ") && line.endsWith("(default 1.0e-5)"))
                .anyMatch(line -> line.startsWith("  --resume [true|false] "));
        assertThat(help(100, "sft")).doesNotContain("Anchoring:");
    }
}
