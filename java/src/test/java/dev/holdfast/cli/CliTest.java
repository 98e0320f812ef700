package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.Holdfast;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.testing.TinyModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CliTest {
    private final ByteArrayOutputStream results = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    @TempDir
    Path directory;

    @TempDir
    static Path shared;

    @BeforeAll
    static void export() {
        TinyModel.export("llama", shared.resolve("artifact"));
        TinyModel.rows(shared.resolve("train.jsonl"), 12);
    }

    private static String artifact() {
        return shared.resolve("artifact").toString();
    }

    private static String rows() {
        return shared.resolve("train.jsonl").toString();
    }

    private Console console(OptionalInt columns) {
        return new Console(
                new PrintStream(results, true, StandardCharsets.UTF_8),
                new PrintStream(messages, true, StandardCharsets.UTF_8),
                columns,
                false);
    }

    private int run(String... arguments) {
        return new Cli(console(OptionalInt.empty())).run(arguments);
    }

    private List<String> said() {
        return messages.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private String result() {
        return results.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aRunBeyondItsBudgetOfDriftHasAnExitCodeOfItsOwn() {
        Path run = directory.resolve("run");
        String[] job = {
            "anchor", "--artifact", artifact(), "--reference", artifact(), "--data", rows(), "--out", run.toString()
        };
        String[] drifting = {
            "--hard_weight", "1", "--learning_rate", "0.01", "--max_steps", "3", "--kl_total_budget", "1e-9"
        };
        assertThat(run(concatenated(job, drifting))).isEqualTo(ExitCode.DRIFT_BUDGET);
        assertThat(said().get(said().size() - 1))
                .matches("kl_total_budget: expected at most 1\\.0e-9 nats from the base, got .+ after step 3\\. "
                        + "No model but the base is within it\\. To go on, raise kl_total_budget and add --resume");
    }

    @Test
    void theReportOfARunIsMadeAgain() throws IOException {
        Path run = directory.resolve("run");
        assertThat(run("sft", "--artifact", artifact(), "--data", rows(), "--out", run.toString(), "--max_steps", "1"))
                .isZero();
        Path report = run.resolve("report.html");
        assertThat(said()).contains("report      " + report);
        Files.delete(report);
        assertThat(run("report", "--run", run.toString())).isZero();
        assertThat(result()).isEqualTo(report + "\n");
        assertThat(report).content().contains("Supervised fine-tuning of ");
        assertThat(run("report", "--run", shared.toString())).isEqualTo(ExitCode.FAILURE);
    }

    @Test
    void withoutACommandTheCommandsAreListedAsAnError() {
        assertThat(run()).isEqualTo(ExitCode.USAGE);
        assertThat(result()).isEmpty();
        assertThat(said()).anyMatch(line -> line.startsWith("  schema "));
    }

    @Test
    void helpAndVersionAreResults() {
        assertThat(run("--version")).isZero();
        assertThat(run("validate", "--help")).isZero();
        assertThat(result())
                .startsWith("holdfast ")
                .contains("--learning_rate N ", "(default 1.0e-5)", "Examples:")
                .doesNotContain("--no_shuffle");
        assertThat(said()).isEmpty();
    }

    @Test
    void unknownCommandsAndFlagsGetTheNearestKnownOne() {
        assertThat(run("validat")).isEqualTo(ExitCode.USAGE);
        assertThat(run("schema", "--fromat", "json")).isEqualTo(ExitCode.USAGE);
        assertThat(run("schema", "extra")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactly(
                        "error: validat: unknown command; did you mean validate?",
                        "Try: holdfast --help",
                        "error: --fromat: unknown flag; did you mean --format?",
                        "Try: holdfast schema --help",
                        "error: extra: unexpected argument",
                        "Try: holdfast schema --help");
    }

    @Test
    void ofAFlagSaidTwiceTheLastOneCounts() {
        String[] job = {"validate", "--artifact", artifact(), "--data", rows(), "--out", "a", "--out", "b"};
        String[] twice = {"--learning_rate", "fast", "--learning-rate", "1e-4", "--seed=1", "--seed=2"};
        assertThat(run(concatenated(job, twice))).isZero();
        assertThat(result()).contains("out: b\n", "learning_rate: 1.0e-4\n", "seed: 2\n");
        assertThat(run(concatenated(job, new String[] {"--shuffle", "false", "--shuffle", "--no-shuffle"})))
                .isZero();
        assertThat(result()).contains("shuffle: false\n");
        results.reset();
        assertThat(run(concatenated(job, new String[] {"--no-shuffle", "--shuffle"})))
                .isZero();
        assertThat(result()).contains("shuffle: true\n");
        results.reset();
        assertThat(run("schema", "--format", "json", "--format", "markdown")).isZero();
        assertThat(result()).startsWith("| key |");
    }

    @Test
    void allThatAJobLacksIsToldAtOnce() {
        assertThat(run("anchor")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactly(
                        "error: --artifact: missing: anchor needs it, as a flag or in the file of --config",
                        "error: --reference: missing: anchor needs it, as a flag or in the file of --config",
                        "error: --data: missing: anchor needs it, as a flag or in the file of --config",
                        "error: --out: missing: anchor needs it, as a flag or in the file of --config",
                        "Try: holdfast anchor --help");
    }

    @Test
    void allWrongFlagsAreToldAtOnce() {
        assertThat(run("score", "--modle", "m", "--data", "none.jsonl", "--append_eos", "maybe", "--threads", "two"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactlyInAnyOrder(
                        "error: --append_eos: expected true or false, got \"maybe\"",
                        "error: --threads: expected a whole number, got \"two\"",
                        "error: --modle: unknown flag; did you mean --model?",
                        "error: --model: missing: score needs it",
                        "error: --out: missing: score needs it",
                        "error: --data: no such file or folder: none.jsonl",
                        "Try: holdfast score --help");
    }

    @Test
    void everyCommandTellsAllItsWrongFlags() {
        assertThat(run("export", "--kernels", "fast", "--out", shared.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(run("package", "--run", "none", "--outt", "x")).isEqualTo(ExitCode.USAGE);
        assertThat(run("step", "--learning_rate", "fast", "--batches")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .contains(
                        "error: --kernels: expected stock or holdfast, got \"fast\"",
                        "error: --model: missing: export needs it",
                        "error: --out: expected a new or empty folder, got " + shared
                                + ", which is not; name another one or remove it",
                        "error: --run: no such file or folder: none",
                        "error: --outt: unknown flag; did you mean --out?",
                        "error: --out: missing: package needs it",
                        "error: --learning_rate: expected a number of at least 0, got \"fast\"",
                        "error: --batches: expected FILE, got nothing",
                        "error: --artifact: missing: step needs it");
    }

    @Test
    void aJobTellsAllItsMissingFilesAsBadInput() {
        assertThat(run("anchor", "--artifact", "none", "--data", "none.jsonl", "--out", "d", "--reference", artifact()))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .containsExactly(
                        "error: --artifact: no such file or folder: none",
                        "error: --data: no such file or folder: none.jsonl");
    }

    @Test
    void aConfigurationFileThatCannotBeReadIsTheOnlyProblem() throws IOException {
        Path binary = Files.write(directory.resolve("binary.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThat(run("sft", "--config", "none.yaml")).isEqualTo(ExitCode.USAGE);
        assertThat(run("sft", "--config", binary.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactly(
                        "error: none.yaml: no such file",
                        "Try: holdfast sft --help",
                        "error: " + binary + ": not YAML: expected UTF-8 text",
                        "Try: holdfast sft --help");
    }

    @Test
    void aFolderThatIsNoArtifactOrNoRowsIsTold() {
        String[] job = {"sft", "--out", directory.resolve("run").toString(), "--artifact"};
        assertThat(run(concatenated(job, new String[] {directory.toString(), "--data", rows()})))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run(concatenated(job, new String[] {artifact(), "--data", directory.toString()})))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .containsExactly(
                        "error: " + directory + ": expected an artifact, got a folder without manifest.json"
                                + "; make one: holdfast export --model MODEL --out DIR",
                        "error: " + directory + ": cannot be read: it is a folder; expected a file of JSON lines");
    }

    @Test
    void aModelFileIsToBeExportedFirst() throws IOException {
        String file = Files.writeString(directory.resolve("model.gguf"), "GGUF").toString();
        String out = directory.resolve("run").toString();
        assertThat(run("sft", "--artifact", file, "--data", rows(), "--out", out))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run("finetune", "--artifact", file, "--data", rows(), "--out", out))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run("package", "--run", file, "--out", out)).isEqualTo(ExitCode.FAILURE);
        assertThat(run("generate", "--model", file, "--prompt", "w5")).isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .hasSize(4)
                .allMatch(line -> line.startsWith("error: " + file + ": expected ")
                        && line.contains(", got a file; export the model first: holdfast export --model " + file
                                + " --out DIR"));
    }

    @Test
    void theFolderOfBothStagesStandsForItsAnchoredRun() throws IOException {
        Path both = directory.resolve("both");
        String[] job = {"finetune", "--artifact", artifact(), "--data", rows(), "--out", both.toString()};
        assertThat(run(concatenated(job, new String[] {"--max_steps", "1", "--outer_iterations", "1", "--quiet"})))
                .isZero();
        String scores = directory.resolve("scores.jsonl").toString();
        String model = directory.resolve("model").toString();
        assertThat(run("score", "--model", both.toString(), "--data", rows(), "--out", scores))
                .isZero();
        String ofFolder = Files.readString(Path.of(scores));
        String anchor = both.resolve("anchor").toString();
        assertThat(run("score", "--model", anchor, "--data", rows(), "--out", scores))
                .isZero();
        assertThat(ofFolder).isEqualTo(Files.readString(Path.of(scores)));
        assertThat(run("package", "--run", both.toString(), "--out", model)).isZero();
        assertThat(run("generate", "--model", both.toString(), "--prompt", "w5 w6", "--max_new_tokens", "2"))
                .isZero();

        Files.delete(both.resolve("anchor/model/genai_config.json"));
        messages.reset();
        assertThat(run("package", "--run", both.toString(), "--out", model + "-2"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run("score", "--model", both.toString(), "--data", rows(), "--out", scores))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(run("generate", "--model", both.toString(), "--prompt", "w5"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .hasSizeGreaterThanOrEqualTo(3)
                .filteredOn(line -> line.startsWith("error: "))
                .hasSize(3)
                .allMatch(line -> line.endsWith(
                        "name one of its runs: " + both.resolve("sft") + " or " + both.resolve("anchor")));
    }

    @Test
    void filesThatAreNotThereAreBadInputAndToldTogether() {
        assertThat(run("score", "--model", "none", "--data", "none.jsonl", "--out", "s"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .containsExactly(
                        "error: --model: no such file or folder: none",
                        "error: --data: no such file or folder: none.jsonl");
    }

    @Test
    void aCommandOfCommandsNeedsOneOfThem() {
        assertThat(run("bench")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactly(
                        "error: bench: expected a command: step or kernels, got none", "Try: holdfast bench --help");
        assertThat(run("bench", "step", "--help")).isZero();
        assertThat(result()).contains("--warmup_steps N", "--quiet");
        assertThat(said()).noneMatch(line -> line.contains("Exception"));
    }

    @Test
    void aFlagWithoutItsValueIsTold() {
        assertThat(run("validate", "--out", "--seed", "-1")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .startsWith(
                        "error: --out: expected a path, got nothing",
                        "error: --seed: expected a whole number of at least 0, got \"-1\"");
    }

    @Test
    void everyKeyIsAFlagAndDashesStandForUnderscores() {
        String[] paths = {
            "validate",
            "--job",
            "finetune",
            "--artifact",
            artifact(),
            "--data",
            rows(),
            "--data.eval=" + rows(),
            "--out",
            "d"
        };
        String[] rest = {
            "--learning-rate",
            "1e-4",
            "--no-shuffle",
            "--resume",
            "--append_eos",
            "false",
            "--max-steps=-1",
            "--interpolation",
            "probability"
        };
        assertThat(run(concatenated(paths, rest))).isZero();
        assertThat(result())
                .contains(
                        "learning_rate: 1.0e-4\n",
                        "shuffle: false\n",
                        "resume: true\n",
                        "append_eos: false\n",
                        "max_steps: -1\n",
                        "  eval: " + rows() + "\n")
                .contains("interpolation: probability\n");
        for (var key : ConfigKeys.all()) {
            run("validate", key.flagName() + "=?");
        }
        assertThat(said()).noneMatch(line -> line.contains("unknown flag"));
    }

    private static String[] concatenated(String[] first, String[] second) {
        return Stream.of(first, second).flatMap(Arrays::stream).toArray(String[]::new);
    }

    @Test
    void allProblemsOfFileAndFlagsAreToldAtOnce() throws IOException {
        Path file =
                Files.writeString(directory.resolve("job.yaml"), "artifact: no/artifact\nalpha: 7\nlearning_rat: 1\n");
        assertThat(run(
                        "validate",
                        "--job",
                        "anchor",
                        "--config",
                        file.toString(),
                        "--seed",
                        "x",
                        "--aplha",
                        "1",
                        "--reference=no/run"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .containsExactly(
                        "error: " + file + ":2: alpha: expected a number from 0 to 1, got \"7\"",
                        "error: " + file + ":3: unknown key \"learning_rat\"; did you mean learning_rate?",
                        "error: --seed: expected a whole number of at least 0, got \"x\"",
                        "error: --aplha: unknown flag; did you mean --alpha?",
                        "error: --data: missing: anchor needs it, as a flag or in " + file,
                        "error: --out: missing: anchor needs it, as a flag or in " + file,
                        "error: " + file + ":1: artifact: no such file or folder: no/artifact",
                        "error: --reference: no such file or folder: no/run",
                        "Try: holdfast validate --help");
    }

    @Test
    void whatIsNeitherAFlagNorItsValueIsRefused() {
        assertThat(run(
                        "validate",
                        "--artifact",
                        artifact(),
                        "--data",
                        rows(),
                        "--out",
                        "d",
                        "stray",
                        "-alpha",
                        "0.3",
                        "--learning_rat",
                        "1"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .hasSize(4)
                .anyMatch(line -> line.startsWith("error: stray: unexpected argument"))
                .anyMatch(line -> line.startsWith("error: -alpha: unexpected argument"))
                .anyMatch(line -> line.contains("did you mean --learning_rate"));
    }

    @Test
    void aFolderThatHoldsFilesIsAProblemUnlessItsRunIsResumed() {
        String[] job = {"validate", "--artifact", artifact(), "--data", rows(), "--out", shared.toString()};
        assertThat(run(job)).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .hasSize(2)
                .first()
                .asString()
                .startsWith("error: --out: expected a new or empty folder, got " + shared);
        assertThat(run(concatenated(job, new String[] {"--resume"}))).isZero();
    }

    @Test
    void aValidJobIsToldWithItsCostAndADryRunWithItsTime() {
        assertThat(run(
                        "validate",
                        "--dry-run",
                        "--job",
                        "finetune",
                        "--artifact",
                        artifact(),
                        "--data",
                        rows(),
                        "--out",
                        "d"))
                .isZero();
        assertThat(said())
                .anyMatch(line -> line.matches("model +.*, llama, [0-9,]+ parameters, .*"))
                .anyMatch(line -> line.matches("data +12 rows, .*responses"))
                .anyMatch(line -> line.matches("plan +6 steps of 2 an epoch; memory about .*"))
                .anyMatch(line -> line.matches("plan +5 iterations × 5 epochs = 50 steps; .*"))
                .anyMatch(line -> line.equals("The configuration of this finetune job is valid."));
        assertThat(result())
                .contains("max_length: 64\n")
                .containsPattern(
                        "# dry run sft: loss [0-9.]+, .* s a step, [0-9.]+ [GM]iB at most; 6 steps take about [0-9:]+\n")
                .containsPattern("# dry run anchor: loss ");
        assertThat(Path.of("d")).doesNotExist();
    }

    @Test
    void aPlanSaysWhereMaxStepsCutsIt() {
        String[] job = {"validate", "--job", "finetune", "--artifact", artifact(), "--data", rows(), "--out", "d"};
        assertThat(run(concatenated(job, new String[] {"--outer_iterations", "1", "--max_steps", "4"})))
                .isZero();
        assertThat(said())
                .anyMatch(line -> line.startsWith("plan    4 steps of 2 an epoch; "))
                .anyMatch(line -> line.startsWith("plan    4 steps of 10 (1 iteration × 5 epochs), by max_steps; "));
    }

    @Test
    void aRequestToStopAfterTheLastStepIsToldThatAllAreDone() {
        TrainingConfig config = TrainingConfig.of(Job.SFT)
                .with(ConfigKeys.ARTIFACT, Path.of(artifact()))
                .with(ConfigKeys.DATA_TRAIN, Path.of(rows()))
                .with(ConfigKeys.OUT, directory.resolve("run"))
                .with(ConfigKeys.MAX_STEPS, 2L);
        try (TrainingConsole listener = new TrainingConsole(console(OptionalInt.empty()))) {
            List<String> asked = new ArrayList<>();
            Holdfast.boot().run(config, listener, () -> {
                asked.add(listener.consequenceOfStopping());
                return false;
            });
            assertThat(asked).containsOnly("stopping after this step");
            assertThat(listener.consequenceOfStopping()).isEqualTo("all steps of sft are done already, finishing");
        }
        assertThat(said()).anyMatch(line -> line.startsWith("sft 1/2  loss "));
    }

    @Test
    void rowsThatCannotBeLearntAreBadInputRatherThanAProblemOfTheConfiguration() throws IOException {
        Path broken = Files.writeString(directory.resolve("broken.jsonl"), "{\"prompt\": ");
        assertThat(run("validate", "--artifact", artifact(), "--data", broken.toString(), "--out", "d"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).singleElement().asString().startsWith("error: " + broken + ":1: ");
    }

    @Test
    void quietSaysNothingButResults() {
        assertThat(run("validate", "--quiet", "--artifact", artifact(), "--data", rows(), "--out", "c"))
                .isZero();
        assertThat(said()).isEmpty();
        assertThat(result()).startsWith("artifact: " + artifact() + "\n");
    }

    @Test
    void theSchemaIsJson() throws IOException {
        assertThat(run("schema")).isZero();
        assertThat(new ObjectMapper()
                        .readTree(result())
                        .at("/properties/alpha/default")
                        .doubleValue())
                .isEqualTo(0.5);
    }

    @Test
    void theDoctorSaysWhatThisMachineTrainsWith() {
        assertThat(run("doctor")).isZero();
        assertThat(result())
                .startsWith("This machine can train.")
                .contains("training on", "CPUExecutionProvider", "libholdfast.so");
    }

    @Test
    void theFirstCauseOfAFailedExaminationComesFirst() {
        Diagnosis diagnosis = new Diagnosis();
        diagnosis.fact("java", "17");
        diagnosis.examine("onnxruntime", () -> {
            throw new InvalidInputException("libonnxruntime.so: missing; add the jar");
        });
        diagnosis.examine("kernels", () -> {
            throw new UnsatisfiedLinkError("libholdfast.so");
        });
        assertThat(diagnosis.canTrain()).isFalse();
        assertThat(diagnosis.report().lines())
                .startsWith("Training cannot run: libonnxruntime.so: missing; add the jar")
                .contains("java         17", "onnxruntime  failed, see above");
    }

    @Test
    void stepsTrainForeignArtifactsAndTellEachLoss() {
        Path artifact = Path.of("java/src/test/resources/golden/ort-artifacts/classifier");
        Path run = directory.resolve("run");
        String[] arguments = {
            "step",
            "--artifact",
            artifact.toString(),
            "--batches",
            artifact.resolve("batches.npz").toString()
        };
        assertThat(run(concatenated(arguments, new String[] {"--learning-rate=1e-2", "--out", run.toString()})))
                .isZero();
        assertThat(run.resolve("metrics.jsonl")).exists();
        assertThat(said()).first().asString().startsWith("step 1/10  loss 1.604");
        assertThat(run(concatenated(arguments, new String[] {"--learning_rate", "fast", "--out", run.toString()})))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void eachKindOfFailureHasItsExitCodeAndOneLine() {
        Failures failures = new Failures(console(OptionalInt.empty()));
        assertThat(failures.report(new InvalidInputException("a: empty"))).isEqualTo(ExitCode.FAILURE);
        assertThat(failures.report(new InvalidConfigurationException(List.of("b: wrong", "c: wrong"))))
                .isEqualTo(ExitCode.USAGE);
        assertThat(failures.report(new NonFiniteLossException("step 1: NaN"))).isEqualTo(ExitCode.NON_FINITE_LOSS);
        assertThat(failures.report(new CancellationException("stopped"))).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(failures.report(new NoSuchFileException("x.onnx"))).isEqualTo(ExitCode.FAILURE);
        assertThat(failures.report(new IllegalStateException("broken"))).isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .containsExactly(
                        "error: a: empty",
                        "error: b: wrong",
                        "error: c: wrong",
                        "error: step 1: NaN",
                        "error: stopped",
                        "error: x.onnx: no such file",
                        "error: internal error: java.lang.IllegalStateException: broken; please report it with what --verbose prints");
    }

    @Test
    void theStackTraceIsShownOnlyWhenAskedFor() {
        Console console = console(OptionalInt.empty());
        console.setVerbosity(Verbosity.VERBOSE);
        new Failures(console).report(new InvalidInputException("a: empty"));
        assertThat(said()).hasSizeGreaterThan(2).anyMatch(line -> line.contains("CliTest.theStackTrace"));
    }

    @Test
    void theFirstSignalAsksAndTheSecondStops() {
        AtomicInteger stops = new AtomicInteger();
        try (Interruption interruption = Interruption.simulated(
                console(OptionalInt.empty()), () -> "stopping after this step", stops::incrementAndGet)) {
            assertThat(interruption.isRequested()).isFalse();
            interruption.signalled();
            assertThat(interruption.isRequested()).isTrue();
            assertThat(stops).hasValue(0);
            interruption.signalled();
            assertThat(stops).hasValue(1);
        }
    }

    @Test
    void signalsOfTheSystemAskToStopWhileSomebodyListens() throws Exception {
        try (Interruption interruption = Interruption.listen(console(OptionalInt.empty()), () -> "stopping")) {
            String self = Long.toString(ProcessHandle.current().pid());
            assertThat(new ProcessBuilder("kill", "-TERM", self).start().waitFor())
                    .isZero();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (!interruption.isRequested() && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(interruption.isRequested()).isTrue();
        }
    }

    @Test
    void plainProgressIsTheFirstLineAndOneEachInterval() {
        try (Progress progress = Progress.start(console(OptionalInt.empty()), "sft", 25, 10)) {
            for (int step = 1; step <= 25; step++) {
                int done = step;
                progress.update(done, () -> "loss " + done);
            }
        }
        assertThat(said())
                .containsExactly(
                        "sft 1/25  loss 1",
                        "sft 10/25  loss 10  left 0:00",
                        "sft 20/25  loss 20  left 0:00",
                        "sft 25/25  loss 25");
    }

    @Test
    void aJobSaysALineEachLoggingSteps() {
        String out = directory.resolve("run").toString();
        String[] job = {"sft", "--artifact", artifact(), "--data", rows(), "--out", out, "--max-steps", "3"};
        assertThat(run(Stream.concat(Stream.of(job), Stream.of("--logging-steps", "2"))
                        .toArray(String[]::new)))
                .isZero();
        assertThat(said().stream().filter(line -> line.matches("sft \\d+/3 .*")))
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("sft 1/3 "),
                        line -> assertThat(line).startsWith("sft 2/3 "),
                        line -> assertThat(line).startsWith("sft 3/3 "));
    }

    @Test
    void progressOfWritingWeightsIsInPercent() {
        try (StagedProgress progress = new StagedProgress(console(OptionalInt.empty()), "export")) {
            progress.update(1, 4);
            progress.update(4, 4);
        }
        assertThat(said()).containsExactly("export 25 % of the weights", "export 100 % of the weights");
    }

    @Test
    void spansOfTimeReadAsOnAClock() {
        assertThat(Durations.text(12)).isEqualTo("0:12");
        assertThat(Durations.text(3599)).isEqualTo("59:59");
        assertThat(Durations.text(5840)).isEqualTo("1:37:20");
    }

    @Test
    void progressOnATerminalIsABarNoWiderThanIt() {
        try (Progress progress = Progress.start(console(OptionalInt.of(60)), "sft", 25, 10)) {
            progress.update(25, () -> "loss 1.25");
        }
        String[] drawn = messages.toString(StandardCharsets.UTF_8).split("[\r\n]");
        assertThat(drawn).allMatch(line -> line.length() <= 60).anyMatch(line -> line.startsWith("sft 100%"));
        assertThat(messages.toString(StandardCharsets.UTF_8)).doesNotContain("\u001b[3");
    }

    @Test
    void aBarShowsOnlyFieldsThatFitWhole() {
        String detail = "loss 0.0831  acc 0.942  lr 9.8e-06  |g| 0.71  1,240 tok/s";
        for (int columns : new int[] {80, 100, 200}) {
            messages.reset();
            try (Progress progress = Progress.start(console(OptionalInt.of(columns)), "anchor", 375, 10)) {
                progress.update(375, () -> detail);
            }
            String[] drawn = messages.toString(StandardCharsets.UTF_8).split("[\r\n]");
            String last = Arrays.stream(drawn)
                    .filter(line -> line.contains("loss"))
                    .reduce((first, second) -> second)
                    .orElseThrow();
            String shown = last.substring(last.indexOf("loss")).strip();
            assertThat(last.length()).isLessThanOrEqualTo(columns);
            assertThat(detail + "  ").startsWith(shown + "  ");
            assertThat(columns < 200 || shown.equals(detail)).isTrue();
        }
    }

    @Test
    void workThatTakesLongIsAnnouncedAndWorkThatDoesNotIsNot() throws InterruptedException {
        try (TrainingConsole listener = new TrainingConsole(console(OptionalInt.empty()), 0)) {
            listener.saving(Path.of("run/checkpoint-20"), 3L << 29);
            await("writing checkpoint-20 (1.5 GiB) ...");
            listener.began("measuring drift on 64 rows");
            await("writing checkpoint-20 (1.5 GiB) ...", "measuring drift on 64 rows ...");
        }
        messages.reset();
        try (TrainingConsole listener = new TrainingConsole(console(OptionalInt.empty()), 60_000)) {
            listener.began("packaging run/model");
        }
        assertThat(said()).isEmpty();
    }

    private void await(String... lines) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (said().size() < lines.length && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertThat(said()).containsExactly(lines);
    }

    @Test
    void quietProgressIsSilent() {
        Console console = console(OptionalInt.of(60));
        console.setVerbosity(Verbosity.QUIET);
        try (Progress progress = Progress.start(console, "sft", 5, 1)) {
            progress.update(5, () -> "loss");
        }
        assertThat(messages.size()).isZero();
    }

    @Test
    void cachesAreAnnouncedPreparedAndFound() {
        String out = directory.resolve("anchor").toString();
        String[] job = {"--artifact", artifact(), "--reference", artifact(), "--data", rows(), "--out", out};
        assertThat(run(withCommand("validate", job))).isZero();
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .containsPattern("cache   [0-9.]+ MiB of hidden states of the reference and 2 snapshots at a time in "
                        + directory.resolve("cache") + ", as float32\n");
        assertThat(directory.resolve("cache")).doesNotExist();
        assertThat(run(withCommand("prepare", job))).isZero();
        // The artifact is both here: what is kept of the reference serves for the first snapshot.
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .containsPattern("cache   reference  12 rows, [0-9.]+ MiB, built in [0-9.]+ s\n")
                .containsPattern("cache   snapshot  12 rows, [0-9.]+ MiB, found\n");
        messages.reset();
        assertThat(run(withCommand("prepare", job))).isZero();
        assertThat(messages.toString(StandardCharsets.UTF_8))
                .containsPattern("cache   reference  12 rows, [0-9.]+ MiB, found\n");
        assertThat(directory.resolve("anchor")).doesNotExist();
    }

    @Test
    void aRunThatVisitsEachRowOnceHasNothingToPrepare() {
        String[] job = {
            "--artifact", artifact(), "--reference", artifact(), "--data", rows(), "--out", "o", "--max_steps", "1"
        };
        assertThat(run(withCommand("prepare", job))).isZero();
        assertThat(said()).contains("This run keeps nothing: each row is visited once, or cache is never.");
    }

    private static String[] withCommand(String command, String... job) {
        return concatenated(new String[] {command}, job);
    }
}
