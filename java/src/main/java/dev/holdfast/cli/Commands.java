package dev.holdfast.cli;

import java.util.List;

/** The commands, in the order of the help text. */
final class Commands {
    private Commands() {}

    static List<Object> all(Console console) {
        return List.of(
                new ExportCommand(console),
                new TrainCommand.Sft(console),
                new TrainCommand.Anchor(console),
                new TrainCommand.Finetune(console),
                new PrepareCommand(console),
                new PackageCommand(console),
                new GenerateCommand(console),
                new ScoreCommand(console),
                new EvalCommand(console),
                new ReportCommand(console),
                new ValidateCommand(console),
                new SchemaCommand(console),
                new DoctorCommand(console),
                new StepCommand(console),
                BenchCommand.withSubcommands(console));
    }
}
