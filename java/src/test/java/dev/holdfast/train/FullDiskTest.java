package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The command on a disk of its own that becomes full; the disk is one in memory, seen by the processes of the test alone. */
@Timeout(120)
class FullDiskTest {
    @TempDir
    Path folder;

    private TinyRuns runs;
    private Path disk;

    @BeforeEach
    void export() throws IOException, InterruptedException {
        runs = new TinyRuns("llama", folder);
        disk = Files.createDirectories(folder.resolve("disk"));
        assumeThat(shell("mount -t tmpfs -o size=1m none " + disk).code)
                .as("exit code of mounting a disk as an ordinary user, which not every system allows")
                .isZero();
    }

    private record Ending(int code, String output) {}

    /** Runs commands in a namespace of their own, in which a user may mount. */
    private static Ending shell(String commands) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("unshare", "--map-root-user", "--mount", "sh", "-c", commands)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ending(process.waitFor(), output);
    }

    private String command(TrainingConfig config, String... flags) throws IOException {
        Path file = folder.resolve("job.yaml");
        Files.writeString(file, config.toYaml());
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return String.join(
                        " ", List.of(java, "-cp", System.getProperty("java.class.path"), "dev.holdfast.cli.Main sft"))
                + " --config " + file + " --quiet " + String.join(" ", flags) + "; echo code $?; ";
    }

    /** The size in KiB of a disk that holds so many checkpoints and half of another. */
    private long kibibytes(int checkpoints) throws IOException {
        TrainingConfig config = runs.sft(folder.resolve("measured")).with(ConfigKeys.MAX_STEPS, 1L);
        Path checkpoint = TinyRuns.run(config).checkpoint().orElseThrow();
        return Files.size(checkpoint.resolve("checkpoint")) * (2 * checkpoints + 1) / 2 / 1024
                + (checkpoints + 1) * 2 * Files.size(checkpoint.resolve("hidden_model.onnx")) / 1024;
    }

    @Test
    void aFullDiskEndsInOneLineAndHarmsNothing() throws IOException, InterruptedException {
        Path run = disk.resolve("run");
        TrainingConfig config = runs.sft(run)
                .with(ConfigKeys.MAX_STEPS, 6L)
                .with(ConfigKeys.SAVE_STEPS, 2L)
                .with(ConfigKeys.MAX_LENGTH, 64L);
        Ending ending = shell("mount -t tmpfs -o size=" + kibibytes(1) + "k none " + disk + " && "
                + command(config) + "ls " + run + "; "
                + "mount -o remount,size=64m " + disk + " && "
                + command(config, "--resume") + "ls " + run);
        assertThat(ending.output)
                .containsSubsequence(
                        "error: " + run + "/checkpoint-4.partial/",
                        ": cannot be written: No space left on device. Last good checkpoint: " + run
                                + "/checkpoint-2; ",
                        "continue with the same command and --resume\n",
                        "code 1\n",
                        "checkpoint-2\n",
                        "code 0\n",
                        "checkpoint-2\ncheckpoint-4\ncheckpoint-6\n",
                        "model\n");
        assertThat(ending.output).doesNotContain("partial\n", "damaged", "\tat ");
    }
}
