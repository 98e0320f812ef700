package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed at random moments while it trains and saves after each step. */
class KilledRunTest {
    private static final int KILLS = 3;
    private static final int STEPS = 16;
    private static final int SEED = 11;

    @TempDir
    Path folder;

    @Test
    @Timeout(120)
    void killingAProcessLosesNothingButTheStepsSinceItsLastCheckpoint() throws IOException, InterruptedException {
        TinyRuns runs = new TinyRuns("llama", folder);
        TrainingConfig config = runs.sft(folder.resolve("killed"))
                .with(ConfigKeys.MAX_STEPS, (long) STEPS)
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.MAX_LENGTH, 64L);
        Random random = new Random(SEED);
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = resume(config);
            awaitLines(process, config.out().resolve("metrics.jsonl"), 1 + 5 * kill + random.nextInt(3));
            Thread.sleep(random.nextInt(60));
            process.destroyForcibly().waitFor();
            assertNothingButTheLastStepIsLost(config.out());
        }
        Process last = resume(config);
        assertThat(last.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(last.exitValue()).as("exit code of the last resumption").isZero();

        Path whole = TinyRuns.run(
                        config.with(ConfigKeys.OUT, folder.resolve("whole")).with(ConfigKeys.SAVE_STEPS, 0L))
                .run();
        String end = "checkpoint-" + STEPS;
        TinyRuns.assertSameFiles(config.out().resolve(end), whole.resolve(end));
        TinyRuns.assertSameMetrics(config.out(), whole);
    }

    /** Begins or continues a job in a process of its own. */
    static Process resume(TrainingConfig config) throws IOException {
        Path file = config.out().resolveSibling("job.yaml");
        Files.writeString(file, config.toYaml());
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.holdfast.cli.Main",
                config.job().command(),
                "--config",
                file.toString(),
                "--resume",
                "--quiet");
        return new ProcessBuilder(command).inheritIO().start();
    }

    /** Waits until the run has written so many lines; a last one without its end counts. */
    private static void awaitLines(Process process, Path metrics, int count) throws IOException, InterruptedException {
        while (process.isAlive()
                && (!Files.exists(metrics) || Files.readString(metrics).split("\n").length < count)) {
            Thread.sleep(2);
        }
    }

    private static void assertNothingButTheLastStepIsLost(Path run) throws IOException {
        int saved =
                ModelFolder.latestCheckpoint(run).flatMap(ModelFolder::stepOf).orElse(0);
        long done = Files.readString(run.resolve("metrics.jsonl")).lines().count();
        assertThat(saved).as("steps saved of %d steps done", done).isBetween((int) done - 1, (int) done);
    }
}
