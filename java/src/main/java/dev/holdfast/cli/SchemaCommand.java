package dev.holdfast.cli;

import dev.holdfast.config.ConfigSchema;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Prints the table of configuration keys. */
@Command(
        name = "schema",
        customSynopsis = "holdfast schema [--format json|markdown]",
        description = "Print all configuration keys: as JSON Schema for editors, or as a table.",
        footer = {
            "",
            "Examples:",
            "  holdfast schema > holdfast.schema.json",
            "  holdfast schema --format markdown",
            "In a YAML file, for editors that run the YAML language server:",
            "  # yaml-language-server: $schema=holdfast.schema.json"
        })
final class SchemaCommand implements Callable<Integer> {
    private enum Format {
        JSON,
        MARKDOWN
    }

    private final Console console;

    @Option(names = "--format", paramLabel = "json|markdown", description = "The form to print", defaultValue = "json")
    private Format format;

    SchemaCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        String text = format == Format.JSON ? ConfigSchema.json().toPrettyString() + "\n" : ConfigSchema.markdown();
        console.results().print(text);
        return ExitCode.OK;
    }
}
