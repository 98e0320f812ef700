package dev.holdfast.cli;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.train.ArtifactSteps;
import dev.holdfast.weights.NpzFile;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Trains any training artifacts on arrays from a file. */
@Command(
        name = "step",
        customSynopsis = "holdfast step --artifact DIR --batches FILE.npz --out RUN [--learning_rate N]",
        description = {
            "Train any ONNX Runtime training artifacts on arrays of a file.",
            "Such as ONNX Runtime's own generate_artifacts makes."
        },
        footer = {
            "",
            "Arrays named <input><n> are the inputs of step n, from 0: input0 labels0 input1 labels1 ...",
            "RUN/metrics.jsonl gets the loss of each step, RUN/checkpoint-<steps> the weights and the",
            "optimizer's state.",
            "",
            "Example:",
            "  holdfast step --artifact classifier --batches batches.npz --out run --learning_rate 1e-2"
        })
final class StepCommand implements Callable<Integer>, CheckedCommand {
    private final Console console;

    @Option(
            names = "--artifact",
            required = true,
            paramLabel = "DIR",
            description = "Directory with training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint")
    private Path artifact;

    @Option(
            names = "--batches",
            required = true,
            paramLabel = "FILE",
            description = "NumPy archive (.npz) with the inputs of all steps")
    private Path batches;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Directory for metrics and checkpoint, new or empty")
    private Path out;

    @Option(
            names = "--learning_rate",
            paramLabel = "N",
            description = "Learning rate of every step",
            defaultValue = "1e-5")
    private String learningRate;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of ONNX Runtime; 0 = all cores",
            defaultValue = "0")
    private int threads;

    StepCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        SessionSettings settings = SessionSettings.defaults().withIntraOpThreads(threads);
        float rate = parsedLearningRate().orElseThrow().floatValue();
        ArtifactSteps.Job job =
                new ArtifactSteps.Job(artifact, batches.toString(), NpzFile.read(batches), rate, out, settings);
        ArtifactSteps.Outcome outcome = ArtifactSteps.run(job, this::tell);
        console.say("checkpoint  " + outcome.checkpoint());
        console.say("metrics     " + outcome.metrics());
        return ExitCode.OK;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--artifact", artifact);
        problems.requireExisting("--batches", batches);
        problems.requireFree("--out", out);
        problems.require(threads >= 0, "--threads", "0 or more", threads);
        if (parsedLearningRate().isEmpty()) {
            problems.wrongUsage("--learning_rate: expected "
                    + ConfigKeys.LEARNING_RATE.type().expectation() + ", got \"" + learningRate + "\"");
        }
    }

    private Optional<Double> parsedLearningRate() {
        return ConfigKeys.LEARNING_RATE.type().parse(learningRate);
    }

    private void tell(ArtifactSteps.Step step) {
        console.say(String.format(
                Locale.ROOT,
                "step %d/%d  loss %.6g  %.3f s",
                step.step(),
                step.steps(),
                step.loss(),
                step.elapsedSeconds()));
    }
}
