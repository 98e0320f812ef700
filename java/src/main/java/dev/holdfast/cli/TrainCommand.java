package dev.holdfast.cli;

import dev.holdfast.FineTunedModel;
import dev.holdfast.Holdfast;
import dev.holdfast.config.ConfigReader;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
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
    private static final String CONFIG = "config.yaml";

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
        try (Interruption interruption = Interruption.listen(console);
                TrainingConsole listener = new TrainingConsole(console)) {
            return holdfast.run(config, listener, interruption::isRequested);
        }
    }

    /** A run that is resumed has its settings with it; what is said now counts more. */
    private TrainingConfig config(ParseResult parsed) {
        ConfigReader reader = ConfigReader.of(job);
        boolean resume = !"false".equals(parsed.matchedOptionValue("--resume", "false"));
        String out = parsed.matchedOptionValue("--out", "");
        if (resume && !out.isEmpty() && Files.exists(Path.of(out, CONFIG))) {
            reader.file(Path.of(out, CONFIG));
        }
        return ConfigFlags.read(parsed, reader).read();
    }

    private int finish(FineTunedModel model, TrainingConfig config) {
        if (!model.outcome().finished()) {
            String checkpoint =
                    model.outcome().checkpoint().map(path -> path + " written").orElse("no step done");
            console.messages()
                    .println("stopped at step " + model.outcome().step() + ", " + checkpoint
                            + ". Continue with: holdfast " + job.command() + " --out " + config.out() + " --resume");
            return ExitCode.INTERRUPTED;
        }
        console.say("run         " + model.run());
        model.outcome().checkpoint().ifPresent(path -> console.say("checkpoint  " + path));
        console.say("model       " + model.run().resolve("model") + "  (runs in ONNX Runtime and onnxruntime-genai)");
        return ExitCode.OK;
    }

    /** Supervised fine-tuning. */
    @Command(
            name = "sft",
            customSynopsis = "holdfast sft --artifact DIR --data FILE.jsonl --out RUN [--KEY VALUE]... [--config FILE]",
            description = "Fine-tune on the responses of rows: ordinary supervised fine-tuning.",
            footer = {
                "",
                "Example:",
                "  holdfast sft --artifact artifacts/smollm2 --data train.jsonl --out runs/sft --learning_rate 1e-5"
            })
    static final class Sft extends TrainCommand {
        Sft(Console console) {
            super(console, Job.SFT);
        }
    }

    /** Anchored distillation. */
    @Command(
            name = "anchor",
            customSynopsis =
                    "holdfast anchor --artifact DIR --reference RUN --data FILE.jsonl --out RUN [--KEY VALUE]... [--config FILE]",
            description =
                    "Fine-tune by Anchored Learning: distil towards a moving anchor between the model's own snapshot and a fine-tuned reference.",
            footer = {
                "",
                "Example:",
                "  holdfast anchor --artifact artifacts/smollm2 --reference runs/sft --data train.jsonl --out runs/anchor --alpha 0.5"
            })
    static final class Anchor extends TrainCommand {
        Anchor(Console console) {
            super(console, Job.ANCHOR);
        }
    }

    /** Both stages. */
    @Command(
            name = "finetune",
            customSynopsis =
                    "holdfast finetune --artifact DIR --data FILE.jsonl --out RUN [--KEY VALUE]... [--config FILE]",
            description =
                    "Both stages in one: fine-tune a reference in RUN/sft, then learn towards it by Anchored Learning in RUN/anchor.",
            footer = {
                "",
                "Example:",
                "  holdfast finetune --artifact artifacts/smollm2 --data train.jsonl --out runs/both"
            })
    static final class Finetune extends TrainCommand {
        Finetune(Console console) {
            super(console, Job.FINETUNE);
        }
    }
}
