package dev.holdfast.cli;

import java.util.List;

/** The commands, in the order of the help text. */
final class Commands {
    private Commands() {}

    static List<Object> all(Console console) {
        return List.of(new ValidateCommand(console), new SchemaCommand(console));
    }
}
