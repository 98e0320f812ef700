package dev.holdfast.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelExtentsTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults().withIntraOpThreads(1);

    @TempDir
    static Path directory;

    private static byte[] wholeModel;
    private static byte[] wholeWeights;

    private final Path model = directory.resolve("damaged.onnx");
    private final Path weights = directory.resolve(DeployableFolder.WEIGHTS);

    @BeforeAll
    static void makeModel() throws IOException {
        Path packaged = new TinyModel("llama", directory).packaged();
        wholeModel = Files.readAllBytes(packaged.resolve(DeployableFolder.MODEL));
        wholeWeights = Files.readAllBytes(packaged.resolve(DeployableFolder.WEIGHTS));
    }

    @BeforeEach
    void writeWhole() throws IOException {
        Files.write(model, wholeModel);
        Files.write(weights, wholeWeights);
    }

    @Test
    void aWholeModelOpens() {
        InferenceSession.open(model, SETTINGS).close();
    }

    @Test
    void truncatedWeightsAreToldWithBothSizes() throws IOException {
        Files.write(weights, Arrays.copyOf(wholeWeights, wholeWeights.length - 1));
        assertRefused(weights + ": truncated: expected " + wholeWeights.length + " bytes, got "
                + (wholeWeights.length - 1) + "; write it again or copy it whole");
    }

    @Test
    void aPackageIsHeldToItsSizesBeforeItsDigests() throws IOException {
        Path packaged = new TinyModel("llama", directory.resolve("truncated")).packaged();
        Path data = packaged.resolve(DeployableFolder.WEIGHTS);
        Files.write(data, Arrays.copyOf(wholeWeights, wholeWeights.length - 1));
        assertThatThrownBy(() -> DeployableFolder.open(packaged))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(data + ": truncated: expected " + wholeWeights.length + " bytes, got ");
    }

    @Test
    void missingWeightsAreToldWithTheModelTheyBelongTo() throws IOException {
        Files.delete(weights);
        assertRefused(weights + ": missing: expected the weights of " + model + "; write it again or copy it whole");
    }

    @Test
    void aTruncatedModelIsToldWithBothSizes() throws IOException {
        int half = wholeModel.length / 2;
        Files.write(model, Arrays.copyOf(wholeModel, half));
        assertThatThrownBy(() -> InferenceSession.open(model, SETTINGS))
                .isInstanceOf(MalformedFileException.class)
                .message()
                .matches(".*damaged\\.onnx: truncated: expected \\d+ bytes or more, got " + half + "; .*");
    }

    @Test
    void whatIsNoModelAtAllIsTold() throws IOException {
        Files.writeString(model, "");
        assertRefused(model + ": not an ONNX model: expected a graph, got none in 0 bytes"
                + "; write it again or copy it whole");
        Files.writeString(model, "{\"a\": 1}");
        assertThatThrownBy(() -> ModelExtents.check(model)).isInstanceOf(MalformedFileException.class);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> InferenceSession.open(model, SETTINGS))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(message);
    }

    @Test
    void damagedModelsPassOrAreRefusedInOneMessage() throws IOException {
        Random random = new Random(20261128);
        for (int round = 0; round < 500; round++) {
            byte[] damaged =
                    Arrays.copyOf(wholeModel, round % 3 == 0 ? random.nextInt(wholeModel.length) : wholeModel.length);
            for (int hit = 0; damaged.length > 0 && hit < 1 + round % 20; hit++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Files.write(model, damaged);
            try {
                ModelExtents.check(model);
            } catch (HoldfastException expected) {
                assertThat(expected.getMessage()).startsWith(directory.toString());
            }
        }
    }
}
