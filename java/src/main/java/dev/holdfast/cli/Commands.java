package dev.holdfast.cli;

import java.util.List;

/** The commands, in the order of the help text. */
final class Commands {
    private Commands() {}

    static List<Object> all(Console console) {
        return List.of(
                new StepCommand(console),
                new DoctorCommand(console),
                new ValidateCommand(console),
                new SchemaCommand(console));
    }
}
