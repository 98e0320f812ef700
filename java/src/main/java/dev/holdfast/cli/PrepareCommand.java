package dev.holdfast.cli;

import dev.holdfast.Holdfast;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.train.TrainingPlan;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Builds the caches of an anchored run before it. */
@Command(
        name = "prepare",
        customSynopsis = "holdfast prepare --artifact DIR --reference RUN --data FILE.jsonl --out RUN [FLAGS]",
        description = {
            "Build the caches of an anchored run ahead of it.",
            "Takes what anchor takes; a run with the same rows and models finds them in cache_dir."
        },
        footer = {
            "",
            "Ctrl-C keeps what is there; the same command, or the run, goes on from it.",
            "",
            "Example:",
            "  holdfast prepare --config anchor.yaml && holdfast anchor --config anchor.yaml"
        })
final class PrepareCommand implements Callable<Integer>, TrainingCommand {
    private final Console console;

    @Spec
    private CommandSpec spec;

    PrepareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Set<Job> jobs() {
        return EnumSet.of(Job.ANCHOR);
    }

    @Override
    public Integer call() {
        TrainingConfig config = ConfigFlags.read(spec.commandLine().getParseResult(), ConfigReader.of(Job.ANCHOR))
                .checkingPaths(problems -> new InvalidInputException(String.join("\n", problems)))
                .read();
        Holdfast holdfast = Holdfast.boot();
        TrainingPlan plan = holdfast.plan(config).get(0);
        TrainingConsole.describe(console, plan);
        if (plan.caches().diskBytes() == 0) {
            console.say("This run keeps nothing: each row is visited once, or cache is never.");
            return ExitCode.OK;
        }
        return isComplete(holdfast, config) ? ExitCode.OK : ExitCode.INTERRUPTED;
    }

    private boolean isComplete(Holdfast holdfast, TrainingConfig config) {
        try (TrainingConsole listener = new TrainingConsole(console);
                Interruption interruption = Interruption.listen(console, () -> "stopping after this block")) {
            return holdfast.prepare(config, listener, interruption::isRequested);
        }
    }
}
