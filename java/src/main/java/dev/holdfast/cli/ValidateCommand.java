package dev.holdfast.cli;

import dev.holdfast.Holdfast;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.train.DryRun;
import dev.holdfast.train.TrainingPlan;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
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
        customSynopsis = "holdfast validate [--config FILE] [--job JOB] [--dry-run] [FLAGS]",
        description = {
            "Check a job before it runs.",
            "Tells all problems at once; or prints its configuration with all defaults, what it will do and what it costs."
        },
        footer = {
            "",
            "Examples:",
            "  holdfast validate --config anchor.yaml",
            "  holdfast validate --job sft --config job.yaml --max_steps 20 --dry-run"
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

    @Option(
            names = {"--dry-run", "--dry_run"},
            description = "Also make one real step, throw it away, and tell its loss, time and memory")
    private boolean dryRun;

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
        TrainingConfig config = ConfigFlags.read(spec.commandLine().getParseResult(), reader)
                .checkingPaths(InvalidConfigurationException::new)
                .read();
        Holdfast holdfast = Holdfast.boot();
        List<TrainingPlan> plans = holdfast.plan(config);
        console.results().print(fitted(config, plans).toYaml());
        plans.forEach(plan -> TrainingConsole.describe(console, plan));
        if (dryRun) {
            report(holdfast.dryRun(config), plans);
        }
        console.say("The configuration of this " + config.job().command() + " job is valid.");
        return ExitCode.OK;
    }

    /** With the length that suits the model, as the run would have it. */
    private static TrainingConfig fitted(TrainingConfig config, List<TrainingPlan> plans) {
        return config.with(ConfigKeys.MAX_LENGTH, (long) plans.get(0).config().maxLength());
    }

    private static String cacheShare(DryRun step) {
        return step.cacheSeconds() == 0
                ? ""
                : ", of which " + Durations.text(Math.round(step.cacheSeconds())) + " go into caches";
    }

    private void report(List<DryRun> steps, List<TrainingPlan> plans) {
        for (int stage = 0; stage < steps.size(); stage++) {
            DryRun step = steps.get(stage);
            TrainingPlan plan = plans.get(stage);
            long seconds = Math.round(step.seconds() * plan.steps().total() + step.cacheSeconds());
            console.results()
                    .println(String.format(
                            Locale.ROOT,
                            "# dry run %s: loss %.4f, |g| %.2f, %.2f s a step, %s at most; %,d steps take about %s%s",
                            plan.config().job().command(),
                            step.loss(),
                            step.gradientNorm(),
                            step.seconds(),
                            Sizes.bytes(step.peakMemoryBytes()),
                            plan.steps().total(),
                            Durations.text(seconds),
                            cacheShare(step)));
        }
    }
}
