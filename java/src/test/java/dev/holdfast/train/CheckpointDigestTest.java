package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.eval.Scorer;
import dev.holdfast.exporter.Packager;
import dev.holdfast.files.FileDigest;
import dev.holdfast.runtime.SessionSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a checkpoint that are not as they were written, and whoever opens it. */
class CheckpointDigestTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    private Path checkpoint;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    @BeforeEach
    void trainTwoSteps() {
        TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 2L);
        checkpoint = TinyRuns.run(config).checkpoint().orElseThrow();
    }

    private List<ThrowingCallable> readers() {
        return List.of(
                () -> ModelFolder.open(folder.resolve("run")),
                () -> Scorer.open(folder.resolve("run"), true, SessionSettings.defaults())
                        .close(),
                () -> Packager.of(checkpoint).packageTo(folder.resolve("model")),
                () -> TinyRuns.stopAfter(
                        0, runs.anchor(folder.resolve("anchor")).with(ConfigKeys.REFERENCE, folder.resolve("run"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"checkpoint", "forward_model.onnx", "hidden_model.onnx"})
    void aFlippedBitIsToldByWhoeverOpensIt(String name) throws IOException {
        Path file = checkpoint.resolve(name);
        String expected = FileDigest.of(file).sha256();
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        String got = FileDigest.of(file).sha256();
        for (ThrowingCallable reader : readers()) {
            assertThatThrownBy(reader)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageEndingWith(name + ": corrupt: expected SHA-256 " + expected + ", got " + got
                            + "; copy it again, or use another checkpoint of the run");
        }
        assertThat(folder.resolve("anchor")).doesNotExist();
        assertThat(folder.resolve("model")).doesNotExist();
    }

    @Test
    void aTruncatedFileIsToldWithItsSize() throws IOException {
        Path file = checkpoint.resolve("checkpoint");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1000));
        for (ThrowingCallable reader : readers()) {
            assertThatThrownBy(reader)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageEndingWith("/checkpoint: offset "
                            + (bytes.length - 1000) + ": truncated: expected " + bytes.length + " bytes, got "
                            + (bytes.length - 1000) + "; copy it again, or use another checkpoint of the run");
        }
    }

    @Test
    void aFileThatIsTooLongOrMissingIsTold() throws IOException {
        Path file = checkpoint.resolve("hidden_model.onnx");
        long expected = Files.size(file);
        Files.write(file, new byte[(int) expected + 1]);
        assertThatThrownBy(() -> ModelFolder.open(checkpoint))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(file + ": corrupt: expected " + expected + " bytes, got " + (expected + 1));
        Files.delete(file);
        assertThatThrownBy(() -> ModelFolder.open(checkpoint))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining(file + ": cannot be read: no such file");
    }

    private void editDescription(Consumer<ObjectNode> edit) throws IOException {
        Path file = checkpoint.resolve("model.json");
        ObjectNode description = (ObjectNode) JSON.readTree(file.toFile());
        edit.accept(description);
        JSON.writeValue(file.toFile(), description);
    }

    @Test
    void aCheckpointOfAHoldfastThatKeptNoDigestsStillOpens() throws IOException {
        editDescription(description -> description.remove("files"));
        for (ThrowingCallable reader : readers()) {
            assertThatCode(reader).doesNotThrowAnyException();
        }
        assertThat(ModelFolder.open(checkpoint).weightsDigest())
                .isEqualTo(FileDigest.of(checkpoint.resolve("checkpoint")).sha256());
    }

    @Test
    void aCutCheckpointWithoutDigestsIsToldInTheFilesOwnWords() throws IOException {
        editDescription(description -> description.remove("files"));
        Path file = checkpoint.resolve("checkpoint");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1000));
        assertThatThrownBy(() -> ModelFolder.open(checkpoint))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageMatching(
                        ".*/checkpoint: offset \\d+: truncated or corrupt: expected \\d+ bytes more, got \\d+"
                                + " up to the end of the file at " + (bytes.length - 1000)
                                + "; copy or download the file again");
    }

    @Test
    void aDescriptionWithoutADigestIsMalformed() throws IOException {
        editDescription(description -> description.withObject("files").putNull("checkpoint"));
        assertThatThrownBy(() -> ModelFolder.open(checkpoint))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("model.json: files: expected size and digest of each, got null");
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "tokenizer.json", "tokenizer_config.json"})
    void aFileOfTheRunThatHasChangedIsToldByWhoeverOpensItAndByResuming(String name) throws IOException {
        Path file = folder.resolve("run").resolve(name);
        Files.writeString(file, Files.readString(file).replaceFirst("[1-9]", "8") + " ");
        List<ThrowingCallable> all = new ArrayList<>(readers());
        all.add(() -> TinyRuns.run(
                runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 2L).with(ConfigKeys.RESUME, true)));
        for (ThrowingCallable reader : all) {
            assertThatThrownBy(reader)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("/run/" + name + ": corrupt: expected SHA-256 ")
                    .hasMessageEndingWith("; copy it again from the artifact");
        }
        assertThat(checkpoint).exists();
    }

    @Test
    void aRunOfAHoldfastThatKeptNoDigestsOfItsFilesStillOpens() throws IOException {
        Files.delete(folder.resolve("run/SHA256SUMS"));
        for (ThrowingCallable reader : readers()) {
            assertThatCode(reader).doesNotThrowAnyException();
        }
    }
}
