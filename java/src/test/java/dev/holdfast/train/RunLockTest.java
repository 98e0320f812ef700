package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A folder in which a run is at work, and a second job that is told to write there. */
@Timeout(120)
class RunLockTest {
    private static final long OURS = ProcessHandle.current().pid();

    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static String refusal(Path out, long process) {
        return out + ": a run is at work here (process " + process + "); wait for it or stop it";
    }

    /** Does something at the first step of each stage. */
    private static TrainingListener atStep(Runnable action) {
        return new TrainingListener() {
            @Override
            public void stepped(StepMetrics metrics) {
                if (metrics.step() == 1) {
                    action.run();
                }
            }
        };
    }

    private static void assertRefused(TrainingConfig config, Path out) {
        for (boolean resume : List.of(false, true)) {
            assertThatThrownBy(() -> TinyRuns.run(config.with(ConfigKeys.RESUME, resume)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage(refusal(out, OURS));
        }
    }

    @Test
    void aSecondJobOfTheSameProcessIsRefusedUntilTheFirstEnds() {
        TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 2L);
        TrainingListener listener = atStep(() -> assertRefused(config, config.out()));
        Trainer.run(config, Examples.jsonLines(runs.rows()), Optional.empty(), listener, () -> false);
        assertThat(TinyRuns.metrics(config.out())).hasSize(2);
        assertThat(TinyRuns.run(config.with(ConfigKeys.RESUME, true)).finished())
                .isTrue();
    }

    @Test
    void aSecondProcessIsRefusedWithOneMessageAndAKilledOneLeavesNothingThatBlocks() throws Exception {
        TrainingConfig config = runs.sft(folder.resolve("run"))
                .with(ConfigKeys.MAX_STEPS, 5_000L)
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.MAX_LENGTH, 64L);
        Process first = command("sft", config, folder.resolve("first.log"));
        try {
            Path metrics = config.out().resolve("metrics.jsonl");
            while (first.isAlive() && (!Files.exists(metrics) || Files.size(metrics) == 0)) {
                Thread.sleep(5);
            }
            assertThat(first.isAlive())
                    .as(Files.readString(folder.resolve("first.log")))
                    .isTrue();
            // A job of this process that is refused must not take the lock from the other.
            assertThatThrownBy(() -> TinyRuns.run(config.with(ConfigKeys.RESUME, true)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage(refusal(config.out(), first.pid()));
            Path log = folder.resolve("second.log");
            Process second = command("sft", config, log);
            assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(second.exitValue()).isEqualTo(1);
            assertThat(log).content().contains("error: " + refusal(config.out(), first.pid()) + "\n");
        } finally {
            first.destroyForcibly().waitFor();
        }
        assertThat(TinyRuns.stopAfter(0, config.with(ConfigKeys.RESUME, true)).finished())
                .isFalse();
    }

    private static Process command(String name, TrainingConfig config, Path log) throws IOException {
        Path file = log.resolveSibling("job.yaml");
        Files.write(file, config.toYaml().getBytes(StandardCharsets.UTF_8));
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.holdfast.cli.Main",
                name,
                "--config",
                file.toString(),
                "--resume",
                "--quiet");
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    @Test
    void bothStagesOfAJobAreKeptFromOthersWithTheFolderAroundThem() {
        TrainingConfig config = TrainingConfig.of(Job.FINETUNE)
                .with(ConfigKeys.ARTIFACT, runs.artifact().path())
                .with(ConfigKeys.DATA_TRAIN, runs.rows())
                .with(ConfigKeys.OUT, folder.resolve("both"))
                .with(ConfigKeys.MAX_STEPS, 1L);
        List<Path> asked = new ArrayList<>();
        TrainingListener listener = atStep(() -> {
            String stage = asked.isEmpty() ? "sft" : "anchor";
            Path out = config.out().resolve(stage);
            asked.add(out);
            assertRefused(runs.sft(out), out);
            assertThatThrownBy(() -> Holdfast.boot()
                            .run(config.with(ConfigKeys.RESUME, true), TrainingListener.NONE, () -> false))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessage(refusal(config.out(), OURS));
        });
        assertThat(Holdfast.boot().run(config, listener, () -> false).outcome().finished())
                .isTrue();
        assertThat(asked).hasSize(2);
    }

    @Test
    void theFileOfALockMakesNoFolderAUsedOne() throws IOException {
        Path out = Files.createDirectories(folder.resolve("run"));
        RunLock.take(out).close();
        assertThatCode(() -> RunLock.requireNone(out)).doesNotThrowAnyException();
        TrainingConfig config = runs.sft(out).with(ConfigKeys.MAX_STEPS, 1L);
        TinyRuns.stopAfter(0, config.with(ConfigKeys.RESUME, true));
        RunLock.take(Files.createDirectories(folder.resolve("other"))).close();
        assertThat(TinyRuns.run(config.with(ConfigKeys.OUT, folder.resolve("other")))
                        .finished())
                .isTrue();
    }

    @Test
    void aFolderThatIsRefusedIsLeftWithoutAFile() throws IOException {
        Path other = Files.createDirectories(folder.resolve("other"));
        Path file = Files.writeString(other.resolve("film"), "a film");
        for (boolean resume : List.of(false, true)) {
            assertThatThrownBy(() -> TinyRuns.run(runs.sft(other).with(ConfigKeys.RESUME, resume)))
                    .isInstanceOf(InvalidInputException.class);
        }
        assertThat(other.toFile().list()).containsExactly(file.getFileName().toString());
    }
}
