package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.runtime.Goldens;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArtifactStepsTest {
    /** As for the session alone: float32 on both sides, other kernel versions. */
    private static final float TOLERANCE = 5e-6f;

    @TempDir
    Path folder;

    private ArtifactSteps.Outcome run(
            String artifact, Map<String, HostTensor> batches, List<ArtifactSteps.Step> steps) {
        return ArtifactSteps.run(job(artifact, batches), steps::add);
    }

    private ArtifactSteps.Job job(String artifact, Map<String, HostTensor> batches) {
        return new ArtifactSteps.Job(
                Goldens.artifact(artifact), "x.npz", batches, 1e-2f, folder.resolve("run"), SessionSettings.defaults());
    }

    private static Map<String, HostTensor> batches(String artifact) {
        return new HashMap<>(Goldens.arrays(Goldens.artifact(artifact).resolve("batches.npz")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"classifier", "regression", "embedding"})
    void trainsArtifactsOfOnnxRuntimesOwnTool(String artifact) throws IOException {
        float[] expected = Goldens.arrays(Goldens.artifact(artifact).resolve("expected.npz"))
                .get("losses")
                .toFloatArray();
        List<ArtifactSteps.Step> steps = new ArrayList<>();
        ArtifactSteps.Outcome outcome = run(artifact, batches(artifact), steps);
        assertThat(outcome.losses()).hasSize(10);
        assertThat(steps).extracting(ArtifactSteps.Step::step).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        List<String> lines = Files.readAllLines(outcome.metrics());
        assertThat(lines).hasSize(10);
        for (int step = 0; step < 10; step++) {
            JsonNode line = new ObjectMapper().readTree(lines.get(step));
            assertThat(line.get("step").asInt()).isEqualTo(step + 1);
            assertThat(line.get("learning_rate").asText()).isEqualTo("0.01");
            assertThat((float) line.get("loss").asDouble())
                    .isEqualTo(outcome.losses().get(step))
                    .isCloseTo(expected[step], within(TOLERANCE));
        }
        assertThat(outcome.checkpoint()).isEqualTo(folder.resolve("run/checkpoint-10/checkpoint"));
        assertThat(OrtCheckpoint.read(outcome.checkpoint())
                        .optimizerGroups()
                        .get(0)
                        .step())
                .isEqualTo(10);
        assertThat(folder.resolve("run/checkpoint-10.partial")).doesNotExist();
    }

    private void assertRefused(Map<String, HostTensor> batches, String message) {
        assertThatThrownBy(() -> run("regression", batches, new ArrayList<>()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage(message);
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void namesAMissingArray() {
        Map<String, HostTensor> batches = batches("regression");
        batches.remove("target3");
        assertRefused(batches, "x.npz: array target3: expected FLOAT[batch, 2], got none");
    }

    @Test
    void namesAGapInTheNumbers() {
        Map<String, HostTensor> batches = batches("regression");
        batches.remove("target0");
        batches.remove("x10");
        assertRefused(
                batches,
                "x.npz: array x10: expected FLOAT[batch, 3], got none; array target0: expected FLOAT[batch, 2], got none");
    }

    @Test
    void namesAnArrayThatIsNoInput() {
        Map<String, HostTensor> batches = batches("regression");
        batches.put("labels0", batches.get("target0"));
        assertRefused(
                batches,
                "x.npz: array labels0: expected the name of an input and a number, such as x10, target0, got labels0");
    }

    @Test
    void namesAnArrayOfAnotherTypeOrShape() {
        Map<String, HostTensor> batches = batches("regression");
        batches.put("x14", HostTensor.ofLongs(new long[3], 1, 3));
        assertRefused(batches, "x.npz: array x14: expected FLOAT[batch, 3], got INT64[1, 3]");
        batches.put("x14", HostTensor.ofFloats(new float[4], 1, 4));
        assertRefused(batches, "x.npz: array x14: expected FLOAT[batch, 3], got FLOAT[1, 4]");
    }

    @Test
    void refusesAnEmptyFileOfArrays() {
        assertRefused(Map.of(), "x.npz: expected arrays x10, target0, got none");
    }

    @Test
    void stopsAtALossThatIsNotFinite() throws IOException {
        Map<String, HostTensor> batches = batches("regression");
        batches.put("target2", HostTensor.ofFloats(new float[] {Float.NaN, 0}, 1, 2));
        batches.put("x12", HostTensor.ofFloats(new float[3], 1, 3));
        assertThatThrownBy(() -> run("regression", batches, new ArrayList<>()))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageStartingWith("step 3: loss: expected a finite number, got NaN");
        assertThat(Files.readAllLines(folder.resolve("run/metrics.jsonl"))).hasSize(2);
        assertThat(folder.resolve("run/checkpoint-10")).doesNotExist();
    }

    @Test
    void leavesAnEarlierRunAlone() throws IOException {
        run("regression", batches("regression"), new ArrayList<>());
        byte[] before = Files.readAllBytes(folder.resolve("run/metrics.jsonl"));
        assertThatThrownBy(() -> run("regression", batches("regression"), new ArrayList<>()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("expected a new or empty folder");
        assertThat(Files.readAllBytes(folder.resolve("run/metrics.jsonl"))).isEqualTo(before);
    }

    @Test
    void refusesASecondJobInTheSameFolder() {
        AtomicInteger refused = new AtomicInteger();
        Path out = folder.resolve("run");
        ArtifactSteps.run(job("regression", batches("regression")), step -> {
            assertThatThrownBy(() -> RunLock.take(out))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(out + ": a run is at work here");
            refused.incrementAndGet();
        });
        assertThat(refused).hasValue(10);
    }

    @Test
    void refusesALearningRateThatIsNone() {
        assertThatThrownBy(() ->
                        new ArtifactSteps.Job(folder, "x.npz", Map.of(), Float.NaN, folder, SessionSettings.defaults()))
                .isInstanceOf(InvalidConfigurationException.class);
    }

    @Test
    void namesAMissingArtifact() {
        ArtifactSteps.Job job = new ArtifactSteps.Job(
                folder.resolve("absent"), "x.npz", Map.of(), 1e-2f, folder.resolve("run"), SessionSettings.defaults());
        assertThatThrownBy(() -> ArtifactSteps.run(job, step -> {}))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining("absent/training_model.onnx: cannot be read: no such file");
    }
}
