package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.error.RuntimeFailureException;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.EmulatedCuda;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What belongs to the graph rather than to the loss: optional inputs and outputs, shapes, refusals. */
class AnchorLossOperatorTest {
    private static final HostTensor STUDENT = HostTensor.ofFloats(new float[] {0, 0, 0, 0, 1, 2}, 2, 3);
    private static final HostTensor REFERENCE = HostTensor.ofFloats(new float[] {1, 0, 0, 2, 1, 0}, 2, 3);
    private static final HostTensor LABELS = HostTensor.ofLongs(new long[] {0, 2}, 2);
    private static final HostTensor WEIGHTS = HostTensor.ofFloats(new float[] {0.5f, 0.5f}, 2);
    private static final HostTensor ALPHAS = HostTensor.ofFloats(new float[] {0.5f, 1}, 2);

    private static OperatorRun loss(
            HostTensor snapshot, HostTensor reference, HostTensor alphas, float crossEntropyWeight) {
        return new OperatorRun("AnchorLoss")
                .input("student_logits", STUDENT)
                .input("snapshot_logits", snapshot)
                .input("reference_logits", reference)
                .input("labels", LABELS)
                .input("weights", WEIGHTS)
                .input("alphas", alphas)
                .input("coefficients", HostTensor.ofFloats(new float[] {1, 1, crossEntropyWeight, 0.5f}, 4))
                .input("modes", HostTensor.ofLongs(new long[] {0, 0, 0}, 3));
    }

    private static OperatorRun withAllOutputs(OperatorRun run) {
        return run.output("loss")
                .output("student_gradient")
                .output("token_loss")
                .output("statistics");
    }

    @Test
    void computesCrossEntropyWithoutAnyOtherModel() {
        Map<String, HostTensor> result =
                withAllOutputs(loss(null, null, null, 1)).run();
        double first = Math.log(3);
        double second = Math.log(1 + Math.exp(-1) + Math.exp(-2));
        // Numbers near 1, whose unit in the last place is 1.2e-7, after a few roundings.
        assertThat(result.get("loss").floats().get(0)).isCloseTo((float) (0.5 * first + 0.5 * second), within(5e-7f));
        assertThat(result.get("token_loss").toFloatArray())
                .containsExactly(new float[] {(float) first, (float) second}, within(5e-7f));
        assertThat(result.get("student_gradient").floats().get(0))
                .isCloseTo((float) (0.5 * (1 / 3.0 - 1)), within(5e-7f));
    }

    @Test
    void takesTheStudentItselfForAnAbsentSnapshot() {
        Map<String, HostTensor> absent =
                withAllOutputs(loss(null, REFERENCE, ALPHAS, 0)).run();
        Map<String, HostTensor> given =
                withAllOutputs(loss(STUDENT, REFERENCE, ALPHAS, 0)).run();
        assertThat(absent.get("loss").floats().get(0)).isPositive();
        assertThat(absent.get("student_gradient").toFloatArray())
                .containsExactly(given.get("student_gradient").toFloatArray());
    }

    @Test
    void leavesOutWhatTheGraphDoesNotName() {
        OperatorRun run = loss(STUDENT, REFERENCE, ALPHAS, 0);
        Map<String, HostTensor> result = run.output("loss")
                .output(null)
                .output(null)
                .output("statistics")
                .run();
        assertThat(result.get("loss").floats().get(0)).isPositive();
        assertThat(loss(STUDENT, REFERENCE, ALPHAS, 0)
                        .output(null)
                        .output(null)
                        .output(null)
                        .output("statistics")
                        .run())
                .containsOnlyKeys("statistics");
    }

    @Test
    void refusesNodesWithTooFewOutputs() {
        assertThatThrownBy(
                        () -> loss(STUDENT, REFERENCE, ALPHAS, 0).output("loss").run())
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("AnchorLoss");
    }

    @Test
    void infersTheShapesOfItsOutputs() {
        assertThat(withAllOutputs(loss(STUDENT, REFERENCE, ALPHAS, 0))
                        .inferredShapes()
                        .toString())
                .contains("loss")
                .contains("[2, 3]")
                .contains("[2, 11]");
    }

    @Test
    void namesTheInputThatItRefuses() {
        HostTensor beyond = HostTensor.ofFloats(new float[] {0.5f, 2}, 2);
        assertThatThrownBy(() ->
                        withAllOutputs(loss(STUDENT, REFERENCE, beyond, 0)).run())
                .isInstanceOf(RuntimeFailureException.class)
                .hasMessageContaining("AnchorLoss: tokens.alphas[1]: expected [0, 1], got 2");
        HostTensor tooFew = HostTensor.ofFloats(new float[] {0.5f}, 1);
        assertThatThrownBy(() ->
                        withAllOutputs(loss(STUDENT, REFERENCE, tooFew, 0)).run())
                .hasMessageContaining("AnchorLoss: alphas: expected shape [2], got [1]");
        assertThatThrownBy(
                        () -> withAllOutputs(loss(STUDENT, REFERENCE, null, 0)).run())
                .hasMessageContaining("AnchorLoss: alphas: expected shape [2] beside reference_logits, got none");
    }

    /** What is missing is the kernel of this build's provider, so schema, shapes and optional inputs were all taken. */
    @Test
    void ofCudaAloneLacksNothingButTheProvider() {
        Path operators = EmulatedCuda.built("libholdfast_cuda_operator_on_cuda.so");
        assertThatThrownBy(() -> withAllOutputs(loss(null, REFERENCE, ALPHAS, 0).library(operators))
                        .run())
                .isInstanceOf(RuntimeFailureException.class)
                .rootCause()
                .hasMessageContaining("ORT_NOT_IMPLEMENTED")
                .hasMessageContaining("Could not find an implementation for AnchorLoss(1)");
    }
}
