package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperatorProfileTest {
    private static final String PROFILE =
            """
            [
            {"cat":"Node","dur":7,"ts":1,"ph":"X","name":"a_kernel_time","args":{"op_name":"MatMul","provider":"CPUExecutionProvider"}},
            {"cat":"Node","dur":20,"ts":1,"ph":"X","name":"b_kernel_time","args":{"op_name":"Add"}},
            {"cat":"Node","dur":1,"ts":1,"ph":"X","name":"b_fence_before","args":{"op_name":"Add"}},
            {"cat":"Node","dur":8,"ts":1,"ph":"X","name":"c_kernel_time","args":{"op_name":"MatMul"}},
            {"cat":"Session","dur":50,"ts":1,"ph":"X","name":"model_run","args":{}}
            ]
            """;

    @TempDir
    Path folder;

    private Path write(String content) throws IOException {
        Path file = folder.resolve("profile_1.json");
        Files.writeString(file, content);
        return file;
    }

    @Test
    void sumsByOperatorCostliestFirst() throws IOException {
        OperatorProfile profile = OperatorProfile.read(write(PROFILE));
        assertThat(profile.runs()).isEqualTo(1);
        assertThat(profile.runMicros()).isEqualTo(50);
        assertThat(profile.operators())
                .containsExactly(
                        new OperatorProfile.OperatorTime("Add", 1, 20),
                        new OperatorProfile.OperatorTime("MatMul", 2, 15));
    }

    @Test
    void leavesTheRunsOutThatWarmUp() throws IOException {
        String twice = PROFILE.replace("]\n", ",") + PROFILE.substring(1).replace("\"dur\":20", "\"dur\":5");
        OperatorProfile profile = OperatorProfile.read(write(twice), 1);
        assertThat(profile.runs()).isEqualTo(1);
        assertThat(profile.runMicros()).isEqualTo(50);
        assertThat(profile.operators())
                .containsExactly(
                        new OperatorProfile.OperatorTime("MatMul", 2, 15),
                        new OperatorProfile.OperatorTime("Add", 1, 5));
    }

    @Test
    void whatFollowsTheFirstValueDoesNotCount() throws IOException {
        OperatorProfile profile = OperatorProfile.read(write(PROFILE + "{\"rest of\": \"another"));
        assertThat(profile.operators().stream()
                        .mapToLong(OperatorProfile.OperatorTime::micros)
                        .sum())
                .isEqualTo(35);
    }

    @Test
    void namesAFileThatIsNoProfile() throws IOException {
        Path other = write("{}");
        assertThatThrownBy(() -> OperatorProfile.read(other))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("profile_1.json");
        assertThatThrownBy(() -> OperatorProfile.read(folder.resolve("absent")))
                .isInstanceOf(FileAccessException.class);
        assertThatThrownBy(() -> OperatorProfile.latestFile(folder.resolve("run")))
                .isInstanceOf(MalformedFileException.class);
    }

    @Test
    void damagedFilesGiveAResultOrOneMessage() throws IOException {
        byte[] whole = PROFILE.getBytes(StandardCharsets.UTF_8);
        Random random = new Random(3);
        Path file = folder.resolve("damaged");
        for (int round = 0; round < 500; round++) {
            byte[] bytes = Arrays.copyOf(whole, round % 2 == 0 ? whole.length : random.nextInt(whole.length));
            if (bytes.length > 0) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, bytes);
            try {
                OperatorProfile.read(file);
            } catch (MalformedFileException expected) {
                assertThat(expected.getMessage()).contains("damaged").doesNotContain("\n");
            }
        }
    }
}
