package dev.holdfast.cli;

import dev.holdfast.FineTunedModel;
import dev.holdfast.Holdfast;
import dev.holdfast.artifact.RunFolder;
import dev.holdfast.artifact.StagesFolder;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.train.BudgetBreach;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Runs a training job. */
abstract class TrainCommand implements Callable<Integer>, TrainingCommand {
    private final Console console;
    private final Job job;

    @Spec
    private CommandSpec spec;

    private TrainCommand(Console console, Job job) {
        this.console = console;
        this.job = job;
    }

    @Override
    public Set<Job> jobs() {
        return EnumSet.of(job);
    }

    @Override
    public Integer call() {
        TrainingConfig config = config(spec.commandLine().getParseResult());
        if (config.resume() && Files.notExists(config.out())) {
            console.say("resume  nothing in " + config.out() + " yet: starting from the beginning");
        }
        FineTunedModel model = train(config);
        boolean comparable =
                config.dataEval().isPresent() || config.dataRetention().isPresent();
        if (job == Job.FINETUNE && model.outcome().finished() && comparable) {
            console.results().print(ComparisonTable.of(Holdfast.boot().compare(config)));
        }
        return finish(model, config);
    }

    private FineTunedModel train(TrainingConfig config) {
        Holdfast holdfast = Holdfast.boot();
        try (TrainingConsole listener = new TrainingConsole(console);
                Interruption interruption = Interruption.listen(console, listener::consequenceOfStopping)) {
            return holdfast.run(config, listener, interruption::isRequested);
        }
    }

    /** A run that is resumed has its settings with it; what is said now counts more. */
    private TrainingConfig config(ParseResult parsed) {
        ConfigReader reader = ConfigReader.of(job);
        boolean resume = !"false".equals(parsed.matchedOptionValue("--resume", "false"));
        String out = parsed.matchedOptionValue("--out", "");
        if (resume && !out.isEmpty()) {
            Path begun = new RunFolder(Path.of(out)).config();
            if (Files.exists(begun)) {
                reader.file(begun);
            }
        }
        return ConfigFlags.read(parsed, reader)
                .checkingPaths(problems -> new InvalidInputException(String.join("\n", problems)))
                .read();
    }

    private int finish(FineTunedModel model, TrainingConfig config) {
        if (model.outcome().breach().isPresent()) {
            return tellBreach(model);
        }
        if (!model.outcome().finished()) {
            String checkpoint =
                    model.outcome().checkpoint().map(path -> path + " written").orElse("no step done");
            console.messages()
                    .println("stopped at step " + model.outcome().step() + ", " + checkpoint
                            + ". Continue with: holdfast " + job.command() + " --out " + config.out() + " --resume");
            return ExitCode.INTERRUPTED;
        }
        console.say("run         " + model.run());
        console.say("report      " + new RunFolder(model.run()).report());
        model.outcome().checkpoint().ifPresent(path -> console.say("checkpoint  " + path));
        console.say("model       " + StagesFolder.packagedModel(model.run())
                + "  (runs in ONNX Runtime and onnxruntime-genai)");
        return ExitCode.OK;
    }

    private int tellBreach(FineTunedModel model) {
        BudgetBreach breach = model.outcome().breach().orElseThrow();
        String within = model.outcome()
                .checkpoint()
                .map(path -> "The last model within it: " + path + "; package it with: holdfast package --run " + path
                        + " --out DIR")
                .orElse("No model but the base is within it");
        console.messages()
                .println(breach.describe() + ". " + within + ". To go on, raise " + breach.budget()
                        + " and add --resume");
        return ExitCode.DRIFT_BUDGET;
    }

    /** Supervised fine-tuning. */
    @Command(
            name = "sft",
            customSynopsis = "holdfast sft --artifact DIR --data FILE.jsonl --out RUN [FLAGS]",
            description = {
                "Supervised fine-tuning on the responses of rows.",
                "The run's folder ends with a packaged model in RUN/model."
            },
            footer = {
                "",
                "Rows are JSON lines: prompt + completion; messages; instruction, input, output; or text.",
                "Every key can also stand in the file of --config, as YAML. --no_shuffle is --shuffle false.",
                "Ctrl-C stops after the step at hand; the same command with --resume goes on from there.",
                "",
                "Example:",
                "  holdfast sft --artifact artifact --data train.jsonl --out runs/sft --learning_rate 1e-5"
            })
    static final class Sft extends TrainCommand {
        Sft(Console console) {
            super(console, Job.SFT);
        }
    }

    /** Anchored distillation. */
    @Command(
            name = "anchor",
            customSynopsis = "holdfast anchor --artifact DIR --reference RUN --data FILE.jsonl --out RUN [FLAGS]",
            description = {
                "Anchored Learning towards a fine-tuned reference.",
                "Distils towards a moving anchor between the model's own snapshot and the reference, which forgets less."
            },
            footer = {
                "",
                "Rows are JSON lines: prompt + completion; messages; instruction, input, output; or text.",
                "Every key can also stand in the file of --config, as YAML. --no_shuffle is --shuffle false.",
                "Ctrl-C stops after the step at hand; the same command with --resume goes on from there.",
                "",
                "Examples:",
                "  holdfast anchor --artifact artifact --reference runs/sft --data train.jsonl --out runs/anchor",
                "  holdfast anchor --config anchor.yaml --alpha 0.3"
            })
    static final class Anchor extends TrainCommand {
        Anchor(Console console) {
            super(console, Job.ANCHOR);
        }
    }

    /** Both stages. */
    @Command(
            name = "finetune",
            customSynopsis = "holdfast finetune --artifact DIR --data FILE.jsonl --out RUN [FLAGS]",
            description = {
                "Both in one: sft, then anchor with its result as reference.",
                "RUN/sft is the reference, RUN/anchor the result. With data.eval or data.retention a table compares them."
            },
            footer = {
                "",
                "Rows are JSON lines: prompt + completion; messages; instruction, input, output; or text.",
                "Every key can also stand in the file of --config, as YAML. --no_shuffle is --shuffle false.",
                "Ctrl-C stops after the step at hand; the same command with --resume goes on from there.",
                "",
                "Example:",
                "  holdfast finetune --artifact artifact --data train.jsonl --out runs/both"
            })
    static final class Finetune extends TrainCommand {
        Finetune(Console console) {
            super(console, Job.FINETUNE);
        }
    }
}
