package dev.holdfast.cli;

import dev.holdfast.report.Report;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes the page of a run anew. */
@Command(
        name = "report",
        customSynopsis = "holdfast report --run RUN",
        description = {
            "Write RUN/report.html: curves, drift, time, settings.",
            "Every training command does so as it goes on; this makes the page again from the run's files, finished or not."
        },
        footer = {
            "",
            "One file without scripts that needs no network, in light or dark as the reader has it.",
            "Of a finetune job it compares the models and leads to the pages of both runs.",
            "",
            "Example:",
            "  holdfast report --run runs/anchor"
        })
final class ReportCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(
            names = "--run",
            required = true,
            paramLabel = "RUN",
            description = "The folder of a run, or of a finetune job")
    private Path run;

    ReportCommand(Console console) {
        this.console = console;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--run", run);
    }

    @Override
    public Integer call() {
        console.results().println(Report.write(run));
        return ExitCode.OK;
    }
}
