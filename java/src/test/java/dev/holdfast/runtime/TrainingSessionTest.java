package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.OtherFiles;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PendingTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSessionTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults();
    private static final Path REGRESSION = Goldens.artifact("regression");
    private static final Path CLASSIFIER = Goldens.artifact("classifier");
    private static final Map<String, HostTensor> BATCHES = Goldens.arrays(CLASSIFIER.resolve("batches.npz"));

    @TempDir
    Path folder;

    private static TrainingSession open(Path artifact) {
        return TrainingSession.open(TrainingFiles.in(artifact), SETTINGS);
    }

    private static Map<String, HostTensor> batch(int step) {
        return Goldens.batch(BATCHES, step, "input", "labels");
    }

    private static void train(TrainingSession session, int from, int to, float[] losses) {
        session.setLearningRate(1e-2f);
        for (int step = from; step < to; step++) {
            session.lazyResetGrad();
            losses[step] = session.trainStep(batch(step)).loss();
            session.optimizerStep();
        }
    }

    @Test
    void namesUserInputsWithTypesAndShapes() {
        try (TrainingSession session = open(CLASSIFIER)) {
            assertThat(session.trainInputs())
                    .extracting(ValueInfo::toString)
                    .containsExactly("input FLOAT[batch, 6]", "labels INT64[batch]");
            assertThat(session.evalInputs()).isEqualTo(session.trainInputs());
            assertThat(session.parameters())
                    .containsExactly("hidden.weight", "hidden.bias", "output.weight", "output.bias");
        }
    }

    @Test
    void leavesTheBookkeepingOfGradientsOutOfTheOutputs() {
        try (TrainingSession session = open(REGRESSION)) {
            StepResult result = session.trainStep(regressionBatch());
            assertThat(result.outputs()).hasSize(1);
        }
    }

    @Test
    void mapOrderDoesNotMatter() {
        Map<String, HostTensor> reversed = new LinkedHashMap<>();
        reversed.put("target", regressionBatch().get("target"));
        reversed.put("x1", regressionBatch().get("x1"));
        try (TrainingSession session = open(REGRESSION)) {
            assertThat(session.evalStep(reversed).loss())
                    .isEqualTo(session.evalStep(regressionBatch()).loss());
        }
    }

    private static Map<String, HostTensor> regressionBatch() {
        return regressionBatch(new float[] {1, 2, 3}, new float[] {0.5f, -0.5f});
    }

    @Test
    void refusesMissingUnknownAndMisshapenInputsTogetherByName() {
        Map<String, HostTensor> wrong = Map.of(
                "x1",
                HostTensor.ofLongs(new long[] {1, 2, 3}, 1, 3),
                "targets",
                HostTensor.ofFloats(new float[] {1, 2}, 1, 2));
        try (TrainingSession session = open(REGRESSION)) {
            assertThatThrownBy(() -> session.trainStep(wrong))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageEndingWith("training_model.onnx: input x1: expected FLOAT[batch, 3], got INT64[1, 3]; "
                            + "input target: expected FLOAT[batch, 2], got none; "
                            + "input targets: expected one of x1, target, got an unknown name");
        }
    }

    @Test
    void refusesAnotherRankOrFixedDimension() {
        HostTensor target = regressionBatch().get("target");
        try (TrainingSession session = open(REGRESSION)) {
            for (HostTensor x :
                    List.of(HostTensor.ofFloats(new float[3], 3), HostTensor.ofFloats(new float[4], 1, 4))) {
                assertThatThrownBy(() -> session.trainStep(Map.of("x1", x, "target", target)))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("input x1: expected FLOAT[batch, 3], got " + x);
            }
        }
    }

    @Test
    void oneAdamWStepIsTheOneByHand() {
        // With scale s, p = (xW + b) s and the loss mean (p - t)^2, the gradient of b is (p - t) s for a batch of one
        // and two columns.
        OrtCheckpoint initial = OrtCheckpoint.read(REGRESSION.resolve("checkpoint"));
        float[] weight = values(initial, "weight");
        float[] bias = values(initial, "bias");
        float[] scale = values(initial, "scale");
        float[] x = {1, 2, 3};
        float[] target = {0.5f, -0.5f};
        float learningRate = 1e-2f;
        Path checkpoint = folder.resolve("checkpoint");
        try (TrainingSession session = open(REGRESSION)) {
            session.lazyResetGrad();
            session.trainStep(regressionBatch());
            session.setLearningRate(learningRate);
            session.optimizerStep();
            session.saveCheckpoint(checkpoint, true);
        }
        OrtCheckpoint stepped = OrtCheckpoint.read(checkpoint);
        for (int column = 0; column < 2; column++) {
            double sum = bias[column];
            for (int row = 0; row < 3; row++) {
                sum += (double) x[row] * weight[row * 2 + column];
            }
            double gradient = (sum * scale[column] - target[column]) * scale[column];
            assertStepped(values(stepped, "bias")[column], bias[column], gradient, learningRate);
            for (int row = 0; row < 3; row++) {
                int index = row * 2 + column;
                assertStepped(values(stepped, "weight")[index], weight[index], gradient * x[row], learningRate);
            }
        }
        assertThat(values(stepped, "scale")).containsExactly(scale);
    }

    /**
     * The first step's moments are (1 - beta1) g and (1 - beta2) g^2. The tool's AdamW (adam_mode 1, as in Hugging Face Transformers) adds
     * epsilon = 1e-6 to the root before correcting it, so epsilon counts 1 / sqrt(1 - beta2) times; it decays no weights by default.
     */
    private static void assertStepped(float actual, float before, double gradient, double learningRate) {
        double expected = before - learningRate * gradient / (Math.abs(gradient) + 1e-6 / Math.sqrt(1 - 0.999));
        // Values below 1 carry about 6e-8 of rounding per float operation; the update takes a handful.
        assertThat((double) actual).isCloseTo(expected, within(3e-7));
    }

    private static float[] values(OrtCheckpoint checkpoint, String name) {
        return checkpoint.values(checkpoint.parameter(name)).toFloatArray();
    }

    @Test
    void microBatchesAddUp() {
        Map<String, HostTensor> first = regressionBatch(new float[] {1, 2, 3}, new float[] {0.5f, -0.5f});
        Map<String, HostTensor> second = regressionBatch(new float[] {-1, 0.5f, 2}, new float[] {1, 0});
        Map<String, HostTensor> both =
                regressionBatch(new float[] {1, 2, 3, -1, 0.5f, 2}, new float[] {0.5f, -0.5f, 1, 0});
        // The loss is a mean, so the batch of both gives half the sum of the two gradients: accumulated twice, the same
        // sum.
        float[] apart = parametersAfter(List.of(first, second));
        float[] together = parametersAfter(List.of(both, both));
        for (int i = 0; i < apart.length; i++) {
            // Gradients agree up to float rounding, which the normalised first step of AdamW reduces further.
            assertThat(apart[i]).isCloseTo(together[i], within(1e-7f));
        }
    }

    private static Map<String, HostTensor> regressionBatch(float[] x, float[] target) {
        return Map.of(
                "x1",
                HostTensor.ofFloats(x, x.length / 3, 3),
                "target",
                HostTensor.ofFloats(target, target.length / 2, 2));
    }

    private float[] parametersAfter(List<Map<String, HostTensor>> microBatches) {
        Path checkpoint = folder.resolve("accumulated");
        try (TrainingSession session = open(REGRESSION)) {
            session.setLearningRate(1e-2f);
            session.lazyResetGrad();
            microBatches.forEach(session::trainStep);
            session.optimizerStep();
            session.saveCheckpoint(checkpoint, false);
        }
        return values(OrtCheckpoint.read(checkpoint), "weight");
    }

    @Test
    void withoutResetTheGradientsOfEarlierStepsStay() {
        float[] reset = new float[3];
        float[] kept = new float[3];
        try (TrainingSession session = open(CLASSIFIER)) {
            train(session, 0, 3, reset);
        }
        try (TrainingSession session = open(CLASSIFIER)) {
            session.setLearningRate(1e-2f);
            for (int step = 0; step < 3; step++) {
                kept[step] = session.trainStep(batch(step)).loss();
                session.optimizerStep();
            }
        }
        assertThat(kept[1]).isEqualTo(reset[1]);
        assertThat(kept[2]).isNotEqualTo(reset[2]);
    }

    @Test
    void aResumedRunContinuesBitForBit() {
        float[] straight = new float[10];
        try (TrainingSession session = open(CLASSIFIER)) {
            train(session, 0, 10, straight);
        }
        float[] resumed = new float[10];
        Path checkpoint = folder.resolve("checkpoint");
        try (TrainingSession session = open(CLASSIFIER)) {
            train(session, 0, 5, resumed);
            session.saveCheckpoint(checkpoint, true);
        }
        try (TrainingSession session =
                TrainingSession.open(OtherFiles.withCheckpoint(CLASSIFIER, checkpoint), SETTINGS)) {
            train(session, 5, 10, resumed);
        }
        assertThat(resumed).containsExactly(straight);
    }

    @Test
    void withoutTheOptimizersStateAResumedRunDiffers() {
        float[] straight = new float[10];
        float[] restarted = new float[10];
        Path checkpoint = folder.resolve("checkpoint");
        try (TrainingSession session = open(CLASSIFIER)) {
            train(session, 0, 5, straight);
            session.saveCheckpoint(checkpoint, false);
            train(session, 5, 10, straight);
        }
        try (TrainingSession session =
                TrainingSession.open(OtherFiles.withCheckpoint(CLASSIFIER, checkpoint), SETTINGS)) {
            train(session, 5, 10, restarted);
        }
        assertThat(restarted[5]).isEqualTo(straight[5]);
        assertThat(restarted[9]).isNotEqualTo(straight[9]);
    }

    @Test
    void anOptimizerStepNeedsALearningRate() {
        try (TrainingSession session = open(CLASSIFIER)) {
            session.trainStep(batch(0));
            assertThatThrownBy(session::optimizerStep)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("setLearningRate");
        }
    }

    @Test
    void opensWithoutOptimizerAndWithoutEvaluation() {
        TrainingFiles files = OtherFiles.trainingAlone(CLASSIFIER, false);
        try (TrainingSession session = TrainingSession.open(files, SETTINGS)) {
            assertThat(session.trainStep(batch(0)).loss()).isPositive();
            session.saveCheckpoint(folder.resolve("checkpoint"), false);
            assertThatThrownBy(() -> session.evalStep(batch(0))).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(session::optimizerStep).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> session.saveCheckpoint(folder.resolve("other"), true))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void aClosedSessionSaysSo() {
        TrainingSession session = open(CLASSIFIER);
        session.close();
        session.close();
        assertThatThrownBy(() -> session.trainStep(batch(0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void parametersMissingFromTheCheckpointAreNamed() {
        TrainingFiles files = OtherFiles.withCheckpoint(CLASSIFIER, REGRESSION.resolve("checkpoint"));
        assertThatThrownBy(() -> TrainingSession.open(files, SETTINGS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("parameter hidden.weight: expected FLOAT[8, 6], got none; parameter hidden.bias")
                .hasMessageEndingWith("and 1 more; checkpoint and training_model.onnx do not belong together");
    }

    @Test
    void aMissingFrozenParameterIsNamedWhereItIsExpected() {
        Path checkpoint = folder.resolve("checkpoint");
        OrtCheckpoint whole = OrtCheckpoint.read(REGRESSION.resolve("checkpoint"));
        CheckpointWriter writer = new CheckpointWriter();
        whole.trainable().forEach(tensor -> writer.trainable(PendingTensor.of(tensor.name(), whole.values(tensor))));
        writer.write(checkpoint);
        TrainingFiles files = OtherFiles.withCheckpoint(REGRESSION, checkpoint);
        try (TrainingSession session = TrainingSession.open(files, SETTINGS)) {
            assertThat(session.trainInputs()).extracting(ValueInfo::name).containsExactly("x1", "target", "scale");
        }
        assertThatThrownBy(() ->
                        TrainingSession.open(OtherFiles.expecting(files, List.of("weight", "bias", "scale")), SETTINGS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("parameter scale: expected FLOAT[2], got none");
    }

    @Test
    void aParameterOfAnotherShapeIsNamed() {
        Path checkpoint = folder.resolve("checkpoint");
        OrtCheckpoint whole = OrtCheckpoint.read(REGRESSION.resolve("checkpoint"));
        CheckpointWriter writer = new CheckpointWriter();
        writer.trainable(PendingTensor.of("weight", HostTensor.ofFloats(new float[6], 2, 3)));
        writer.trainable(PendingTensor.of("bias", whole.values(whole.parameter("bias"))));
        writer.frozen(PendingTensor.of("scale", whole.values(whole.parameter("scale"))));
        writer.write(checkpoint);
        assertThatThrownBy(() -> TrainingSession.open(OtherFiles.withCheckpoint(REGRESSION, checkpoint), SETTINGS))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("parameter weight: expected FLOAT[3, 2], got FLOAT[2, 3]");
    }

    @Test
    void anEvaluationModelOfOtherParametersIsRefused() {
        TrainingFiles mixed = new TrainingFiles(
                CLASSIFIER.resolve("checkpoint"),
                CLASSIFIER.resolve("training_model.onnx"),
                Optional.of(REGRESSION.resolve("eval_model.onnx")),
                Optional.empty(),
                List.of());
        assertThatThrownBy(() -> TrainingSession.open(mixed, SETTINGS))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("parameter 0: expected hidden.weight as in the training model, got none");
    }

    @Test
    void damagedModelsFailWithOneMessageThatNamesTheFile() throws IOException {
        for (String name : List.of("training_model.onnx", "eval_model.onnx", "optimizer_model.onnx")) {
            byte[] bytes = Files.readAllBytes(CLASSIFIER.resolve(name));
            Random random = new Random(7);
            for (int round = 0; round < 60; round++) {
                Path copy = copyOf(CLASSIFIER);
                byte[] damaged = bytes.clone();
                if (round % 3 == 0) {
                    damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
                } else {
                    damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
                }
                Files.write(copy.resolve(name), damaged);
                openAndStep(copy);
            }
        }
    }

    private void openAndStep(Path artifact) {
        try (TrainingSession session = open(artifact)) {
            session.setLearningRate(1e-2f);
            session.trainStep(batch(0));
            session.optimizerStep();
        } catch (HoldfastException expected) {
            assertThat(expected.getMessage())
                    .contains(artifact.getFileName().toString())
                    .doesNotContain("\n", ".cc:", ".h:", "runner");
        }
    }

    private Path copyOf(Path artifact) throws IOException {
        Path copy = folder.resolve("copy");
        Files.createDirectories(copy);
        for (String file : List.of("checkpoint", "training_model.onnx", "eval_model.onnx", "optimizer_model.onnx")) {
            Files.copy(artifact.resolve(file), copy.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        return copy;
    }

    @Test
    void aCheckpointThatCannotBeWrittenIsTold() {
        try (TrainingSession session = open(CLASSIFIER)) {
            assertThatThrownBy(() -> session.saveCheckpoint(Path.of("/dev/full"), true))
                    .isInstanceOf(RuntimeFailureException.class);
            assertThatThrownBy(() -> session.saveCheckpoint(folder.resolve("absent/checkpoint"), true))
                    .isInstanceOf(RuntimeFailureException.class)
                    .hasMessageContaining("absent/checkpoint");
        }
    }

    @Test
    void aDamagedCheckpointFailsWithOneMessage() throws IOException {
        byte[] bytes = Files.readAllBytes(CLASSIFIER.resolve("checkpoint"));
        Random random = new Random(11);
        for (int round = 0; round < 200; round++) {
            Path copy = copyOf(CLASSIFIER);
            byte[] damaged = bytes.clone();
            if (round % 3 == 0) {
                damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length));
            } else {
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(copy.resolve("checkpoint"), damaged);
            openAndStep(copy);
        }
    }
}
