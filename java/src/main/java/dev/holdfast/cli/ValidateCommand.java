package dev.holdfast.cli;

import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Checks a configuration and prints what it resolves to. */
@Command(
        name = "validate",
        customSynopsis = "holdfast validate [--job JOB] [--config FILE] [--KEY VALUE]...",
        description =
                "Check a job before it runs: tell all problems at once, or print its configuration with all defaults.",
        footer = {
            "",
            "Examples:",
            "  holdfast validate --config anchor.yaml",
            "  holdfast validate --job sft --config job.yaml --max_steps 20"
        })
final class ValidateCommand implements Callable<Integer>, TrainingCommand {
    private final Console console;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--job",
            paramLabel = "sft|anchor|finetune",
            description =
                    "The kind of job; without it, a reference means anchor, other keys of anchor mean finetune, and none of them sft")
    private Optional<Job> job = Optional.empty();

    ValidateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Set<Job> jobs() {
        return EnumSet.allOf(Job.class);
    }

    @Override
    public Integer call() {
        ConfigReader reader = job.map(ConfigReader::of).orElseGet(ConfigReader::ofAnyJob);
        TrainingConfig config =
                ConfigFlags.read(spec.commandLine().getParseResult(), reader).read();
        console.results().print(config.toYaml());
        console.say("The configuration of this " + config.job().command() + " job is valid.");
        return ExitCode.OK;
    }
}
