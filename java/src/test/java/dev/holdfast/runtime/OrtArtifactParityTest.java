package dev.holdfast.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Artifacts of ONNX Runtime 1.19.2's own tool, trained here, against the same ten steps in that version's own Python session. */
class OrtArtifactParityTest {
    /**
     * Both sides compute in float32 with the same graph but other kernel versions. A loss near 1 moves by a few ulp (1.2e-7 each) through
     * summation order, and ten AdamW steps, which normalise the gradient, carry such differences on about linearly.
     */
    private static final float TOLERANCE = 5e-6f;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"classifier,input,labels", "regression,x1,target", "embedding,input_ids,labels"})
    void tenLossesAndTheParametersAfterThemAreThoseOfOnnxRuntimesOwnSession(String name, String input, String target) {
        Path artifact = Goldens.artifact(name);
        Map<String, HostTensor> batches = Goldens.arrays(artifact.resolve("batches.npz"));
        Map<String, HostTensor> expected = Goldens.arrays(artifact.resolve("expected.npz"));
        try (TrainingSession session = TrainingSession.open(TrainingFiles.in(artifact), SessionSettings.defaults())) {
            session.setLearningRate(1e-2f);
            for (int step = 0; step < 10; step++) {
                session.lazyResetGrad();
                float loss = session.trainStep(Goldens.batch(batches, step, input, target))
                        .loss();
                assertThat(loss)
                        .as("loss of step %d", step)
                        .isCloseTo(expected.get("losses").floats().get(step), within(TOLERANCE));
                session.optimizerStep();
            }
            float evalLoss =
                    session.evalStep(Goldens.batch(batches, 9, input, target)).loss();
            assertThat(evalLoss).isCloseTo(expected.get("eval_loss").floats().get(0), within(TOLERANCE));
            session.saveCheckpoint(folder.resolve("checkpoint"), true);
        }
        assertParameters(expected, OrtCheckpoint.read(folder.resolve("checkpoint")));
    }

    private static void assertParameters(Map<String, HostTensor> expected, OrtCheckpoint checkpoint) {
        for (CheckpointTensor parameter : checkpoint.trainable()) {
            float[] truth = expected.get("parameter." + parameter.name()).toFloatArray();
            float[] values = checkpoint.values(parameter).toFloatArray();
            for (int i = 0; i < truth.length; i++) {
                assertThat(values[i]).as("%s[%d]", parameter.name(), i).isCloseTo(truth[i], within(TOLERANCE));
            }
        }
        assertThat(checkpoint.optimizerGroups().get(0).step()).isEqualTo(10);
    }
}
