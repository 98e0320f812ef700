package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.eval.Generator;
import dev.holdfast.eval.Scorer;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.Sha256Sums;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackagerTest {
    @TempDir
    Path directory;

    private TinyModel tiny;

    @BeforeEach
    void makeModel() {
        tiny = new TinyModel("llama", directory);
    }

    @Test
    void theFolderHoldsWhatDeploymentsLoad() throws IOException {
        for (String name : new String[] {
            DeployableFolder.MODEL,
            DeployableFolder.WEIGHTS,
            DeployableFolder.GENAI_CONFIG,
            DeployableFolder.README,
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json"
        }) {
            assertThat(tiny.packaged().resolve(name)).isNotEmptyFile();
        }
        assertThat(tiny.packaged().resolve(DeployableFolder.README))
                .content()
                .contains("# source", "llama", "onnxruntime-genai");
    }

    @Test
    void theDescriptionIsInTheWordsOfOnnxruntimeGenai() throws IOException {
        JsonNode config = new ObjectMapper()
                .readTree(tiny.packaged().resolve(DeployableFolder.GENAI_CONFIG).toFile());
        JsonNode model = config.get("model");
        assertThat(model.get("type").asText()).isEqualTo("llama");
        assertThat(model.get("bos_token_id").asInt()).isEqualTo(1);
        assertThat(model.get("eos_token_id").isInt()).isTrue();
        assertThat(model.get("context_length").asInt()).isEqualTo(64);
        assertThat(model.get("vocab_size").asInt()).isEqualTo(96);
        JsonNode decoder = model.get("decoder");
        assertThat(decoder.get("filename").asText()).isEqualTo("model.onnx");
        assertThat(decoder.get("num_attention_heads").asInt()).isEqualTo(4);
        assertThat(decoder.get("num_key_value_heads").asInt()).isEqualTo(2);
        assertThat(decoder.get("num_hidden_layers").asInt()).isEqualTo(2);
        assertThat(decoder.get("head_size").asInt()).isEqualTo(8);
        assertThat(decoder.at("/inputs/past_key_names").asText()).isEqualTo("past_key_values.%d.key");
        assertThat(decoder.at("/outputs/present_value_names").asText()).isEqualTo("present.%d.value");
        assertThat(config.at("/search/past_present_share_buffer").asBoolean(true))
                .isFalse();
    }

    @Test
    void severalClosingTokensAreAListThatBeginsWithTheOneOfTraining() throws IOException {
        Files.writeString(tiny.artifact().resolve("generation_config.json"), "{\"eos_token_id\": [1, 2, 7]}");
        DeployableFolder folder = Packager.of(tiny.artifact()).packageTo(directory.resolve("again"));
        assertThat(DeployableFolder.open(folder.path()).config().model().eosTokenId())
                .containsExactly(2, 1, 7);
    }

    @Test
    void aRunSaysInItsCardWhereItComesFrom() throws IOException {
        Path run = directory.resolve("run");
        Path checkpoint = Files.createDirectories(ModelFolder.checkpointOf(run, 12));
        for (String name : new String[] {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(tiny.artifact().resolve(name), run.resolve(name));
        }
        Files.copy(
                tiny.artifact().resolve(ArtifactDirectory.CHECKPOINT),
                checkpoint.resolve(ArtifactDirectory.CHECKPOINT));
        JsonNode model = new ObjectMapper()
                .readTree(tiny.artifact().resolve("manifest.json").toFile())
                .get("model");
        Files.writeString(checkpoint.resolve(ModelFolder.MODEL), model.toString());
        Files.writeString(run.resolve("config.yaml"), "learning_rate: 1.0e-5\n");
        Files.writeString(
                run.resolve("run.json"),
                """
                {"job": "anchor", "versions": {"holdfast": "1"}, "reference": {"path": "sft", "sha256": "ab"},
                 "data": {"train": {"path": "train.jsonl", "sha256": "cd"}}}
                """);
        DeployableFolder folder = Packager.of(run).packageTo(directory.resolve("of-run"));
        assertThat(folder.path().resolve(DeployableFolder.README))
                .content()
                .contains(
                        "Anchored Learning",
                        "optimizer steps: 12",
                        "reference: sft, SHA-256 ab",
                        "data (train): train.jsonl",
                        "learning_rate: 1.0e-5");
        assertThat(folder.path().resolve(DeployableFolder.WEIGHTS))
                .hasSameBinaryContentAs(tiny.packaged().resolve(DeployableFolder.WEIGHTS));
    }

    private List<ThrowingCallable> readers() {
        return List.of(
                () -> Generator.open(tiny.packaged(), SessionSettings.defaults())
                        .close(),
                () -> Scorer.open(tiny.packaged(), true, SessionSettings.defaults())
                        .close());
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.onnx", "model.onnx.data", "config.json", "tokenizer.json"})
    void aFlippedBitIsToldByWhoeverOpensTheFolder(String name) throws IOException {
        Path file = tiny.packaged().resolve(name);
        String expected = FileDigest.of(file).sha256();
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        for (ThrowingCallable reader : readers()) {
            assertThatThrownBy(reader)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(file + ": corrupt: expected SHA-256 " + expected + ", got "
                            + FileDigest.of(file).sha256() + "; copy or package it again");
        }
    }

    @Test
    void whatPeopleEditIsNotHeldAgainstTheFolder() throws IOException {
        for (String name : List.of("genai_config.json", "tokenizer_config.json", "README.md")) {
            Path file = tiny.packaged().resolve(name);
            Files.writeString(file, Files.readString(file) + " ");
        }
        for (ThrowingCallable reader : readers()) {
            assertThatCode(reader).doesNotThrowAnyException();
        }
    }

    @Test
    void aFolderWithoutDigestsStillOpens() throws IOException {
        Files.delete(tiny.packaged().resolve(Sha256Sums.NAME));
        for (ThrowingCallable reader : readers()) {
            assertThatCode(reader).doesNotThrowAnyException();
        }
    }

    @Test
    void theDigestsAreThoseOfTheSystemsOwnTool() throws IOException, InterruptedException {
        ProcessBuilder check = new ProcessBuilder("sha256sum", "--check", "--strict", Sha256Sums.NAME)
                .directory(tiny.packaged().toFile());
        assertThat(check.start().waitFor()).isZero();
    }

    @Test
    void aLineThatIsNoDigestIsToldWithItsNumber() throws IOException {
        Path list = tiny.packaged().resolve(Sha256Sums.NAME);
        Files.writeString(list, "../../secret\n", StandardOpenOption.APPEND);
        assertThatThrownBy(() -> DeployableFolder.open(tiny.packaged()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(list + ":5: expected a SHA-256 digest");
    }

    @Test
    void whatIsThereIsNotOverwritten() {
        assertThatThrownBy(() -> Packager.of(tiny.artifact()).packageTo(tiny.packaged()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("expected a new or empty folder");
    }

    @Test
    void aTruncatedCheckpointLeavesNoFolder() throws IOException {
        Path checkpoint = tiny.artifact().resolve(ArtifactDirectory.CHECKPOINT);
        try (FileChannel channel = FileChannel.open(checkpoint, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(checkpoint) / 2);
        }
        Path target = directory.resolve("of-truncated");
        assertThatThrownBy(() -> Packager.of(tiny.artifact()).packageTo(target))
                .isInstanceOf(MalformedFileException.class);
        assertThat(target).doesNotExist();
        assertThat(directory.resolve("of-truncated.partial")).doesNotExist();
    }

    @Test
    void aFolderThatIsNoModelIsRefused() {
        assertThatThrownBy(() -> Packager.of(tiny.packaged()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("expected an artifact, a run or a checkpoint");
    }
}
