package dev.holdfast.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.bench.MatrixProductBenchmark;
import dev.holdfast.bench.StepBenchmark;
import dev.holdfast.bench.StepMeasurement;
import dev.holdfast.runtime.OperatorProfile;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.weights.NpzFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures steps of supervised fine-tuning. */
@Command(
        name = "step",
        customSynopsis = "holdfast bench step --artifact DIR --batch FILE.npz --json FILE",
        description = "Measure steps of supervised fine-tuning: time, peak memory, time by operator.",
        footer = {
            "",
            "The batch holds input_ids [B, T], response_positions [N] and labels [N], all int64.",
            "Nothing is kept of the training. With --profile the steps are slower: take the times",
            "from a run without it.",
            "",
            "Example:",
            "  holdfast bench step --artifact artifacts/smollm2 --batch batch.npz --json step.json"
        })
final class BenchStepCommand implements Callable<Integer>, CheckedCommand {
    private static final double MICROS_PER_SECOND = 1e6;
    private static final double BYTES_PER_GIBIBYTE = 1L << 30;

    private final Console console;

    @Option(names = "--artifact", required = true, paramLabel = "DIR", description = "The artifact directory")
    private Path artifact;

    @Option(
            names = "--batch",
            required = true,
            paramLabel = "FILE",
            description = "NumPy archive (.npz) with the batch")
    private Path batch;

    @Option(names = "--json", required = true, paramLabel = "FILE", description = "Where to write the measurement")
    private Path json;

    @Option(names = "--warmup_steps", paramLabel = "N", defaultValue = "1", description = "Steps that do not count")
    private int warmupSteps;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "5", description = "Steps that count")
    private int steps;

    @Option(names = "--profile", description = "Tell the time by operator")
    private boolean profile;

    @Mixin
    private SessionFlags session;

    BenchStepCommand(Console console) {
        this.console = console;
    }

    /** The measurement as it is written; operators are present with a profile, the matrix product without. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Report(
            String implementation,
            @JsonUnwrapped StepMeasurement step,
            @JsonProperty("matrix_product") MatrixProductBenchmark.Rate matrixProduct,
            List<OperatorCost> operators,
            String version) {}

    /** An operator's share of one step. */
    private record OperatorCost(String operator, double calls, @JsonProperty("seconds") double seconds) {}

    @Override
    public Integer call() {
        SessionSettings settings = session.settings();
        Report report = profile ? profiled(settings) : measured(settings);
        JsonFiles.write(json.toAbsolutePath(), report);
        console.say(String.format(
                Locale.ROOT,
                "step  median %.3f s  minimum %.3f s  peak memory %.2f GiB  %s",
                report.step().medianSeconds(),
                report.step().minimumSeconds(),
                report.step().peakBytes() / BYTES_PER_GIBIBYTE,
                json));
        return ExitCode.OK;
    }

    @Override
    public void check(FlagProblems problems) {
        problems.requireExisting("--artifact", artifact);
        problems.requireExisting("--batch", batch);
        problems.require(steps >= 1, "--steps", "1 or more", steps);
        problems.require(warmupSteps >= 0, "--warmup_steps", "0 or more", warmupSteps);
    }

    private Report measured(SessionSettings settings) {
        StepMeasurement step = StepBenchmark.run(plan(settings));
        return new Report("holdfast", step, MatrixProductBenchmark.run(settings), null, Versions.holdfast());
    }

    private Report profiled(SessionSettings settings) {
        Path prefix = json.toAbsolutePath().resolveSibling("profile");
        StepMeasurement step = StepBenchmark.run(plan(settings.withProfilePrefix(prefix)));
        OperatorProfile operators = OperatorProfile.read(OperatorProfile.latestFile(prefix), warmupSteps);
        List<OperatorCost> costs = operators.operators().stream()
                .map(operator -> cost(operator, operators.runs()))
                .toList();
        return new Report("holdfast", step, null, costs, Versions.holdfast());
    }

    private StepBenchmark.Plan plan(SessionSettings settings) {
        return new StepBenchmark.Plan(artifact, NpzFile.read(batch), warmupSteps, steps, settings);
    }

    private static OperatorCost cost(OperatorProfile.OperatorTime operator, double runs) {
        return new OperatorCost(
                operator.operator(), operator.calls() / runs, operator.micros() / runs / MICROS_PER_SECOND);
    }
}
