package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.artifact.OptimizerGraph;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.natives.NativeMemory;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdamWTest {
    private static final AdamW.Settings UNCLIPPED = new AdamW.Settings(0.9, 0.999, 1e-8, 0.1, 0);
    private static final List<GradientPort.Parameter> PARAMETERS =
            List.of(new GradientPort.Parameter("a", Shape.of(2)), new GradientPort.Parameter("b", Shape.of(1)));

    private final HostTensor a = HostTensor.ofFloats(new float[] {1, -2}, 2);
    private final HostTensor b = HostTensor.ofFloats(new float[] {3}, 1);
    private final HostTensor aGradient = HostTensor.ofFloats(new float[] {0.5f, -1}, 2);
    private final HostTensor bGradient = HostTensor.ofFloats(new float[] {2}, 1);
    private final GradientPort port = GradientPort.of(
            HostTensor.ofLongs(new long[] {address(a), address(aGradient), address(b), address(bGradient)}, 2, 2),
            PARAMETERS);

    private static long address(HostTensor tensor) {
        return NativeMemory.address(tensor.bytes());
    }

    /**
     * The first step by hand: θ ← θ·(1 − 0.01·0.1); m = 0.1·g and v = 0.001·g², so that the corrected quotient is the sign of g, and θ moves
     * by the learning rate. The second step, with the same gradient, is the same. Two roundings of values up to 3: 5e-7. Moments are compared
     * to a unit or two in their last place, the norm to a few in that of a double.
     */
    @Test
    void twoStepsAreThoseOfAHandComputation() {
        AdamW optimizer = new AdamW(UNCLIPPED, PARAMETERS);
        assertThat(optimizer.step(port, 0.01)).isCloseTo(Math.sqrt(0.25 + 1 + 4), within(1e-12));
        assertThat(a.toFloatArray()).containsExactly(new float[] {0.999f - 0.01f, -1.998f + 0.01f}, within(5e-7f));
        assertThat(b.toFloatArray()).containsExactly(new float[] {2.997f - 0.01f}, within(5e-7f));
        assertThat(optimizer.firstMoments().get("a").toFloatArray())
                .containsExactly(new float[] {0.05f, -0.1f}, within(1e-8f));
        assertThat(optimizer.secondMoments().get("b").toFloatArray())
                .containsExactly(new float[] {0.004f}, within(1e-9f));
        optimizer.step(port, 0.01);
        assertThat(b.toFloatArray()).containsExactly(new float[] {2.987f * 0.999f - 0.01f}, within(5e-7f));
        assertThat(optimizer.firstMoments().get("b").toFloatArray())
                .containsExactly(new float[] {0.38f}, within(1e-7f));
        assertThat(optimizer.stepCount()).isEqualTo(2);
    }

    @Test
    void clippedGradientsHaveTheMaximumNormInTheMoments() {
        AdamW optimizer = new AdamW(new AdamW.Settings(0.9, 0.999, 1e-8, 0, 1), PARAMETERS);
        double norm = optimizer.step(port, 0.01);
        float scale = (float) (1 / (norm + 1e-6));
        // Moments up to 0.1: a unit in their last place.
        assertThat(norm).isGreaterThan(2);
        assertThat(optimizer.firstMoments().get("a").toFloatArray())
                .containsExactly(new float[] {0.1f * 0.5f * scale, -0.1f * scale}, within(1e-8f));
        assertThat(optimizer.firstMoments().get("b").toFloatArray())
                .containsExactly(new float[] {0.2f * scale}, within(1e-8f));
        assertThat(aGradient.toFloatArray()).containsExactly(0.5f, -1);
    }

    @Test
    void gradientsBelowTheMaximumNormAreNotScaledUp() {
        AdamW optimizer = new AdamW(new AdamW.Settings(0.9, 0.999, 1e-8, 0, 100), PARAMETERS);
        optimizer.step(port, 0.01);
        assertThat(optimizer.firstMoments().get("b").toFloatArray()).containsExactly(new float[] {0.2f});
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void nonFiniteGradientsLeaveEverythingAsItWas(float broken) {
        AdamW optimizer = new AdamW(UNCLIPPED, PARAMETERS);
        optimizer.step(port, 0.01);
        List<float[]> before = state(optimizer);
        bGradient.floats().put(0, broken);
        assertThat(optimizer.step(port, 0.01)).isNotFinite();
        assertThat(state(optimizer)).usingRecursiveComparison().isEqualTo(before);
        assertThat(optimizer.stepCount()).isEqualTo(1);
    }

    private List<float[]> state(AdamW optimizer) {
        List<float[]> values = new ArrayList<>(List.of(a.toFloatArray(), b.toFloatArray()));
        optimizer.firstMoments().values().forEach(moment -> values.add(moment.toFloatArray()));
        optimizer.secondMoments().values().forEach(moment -> values.add(moment.toFloatArray()));
        return values;
    }

    @Test
    void aRestoredOptimizerGoesOnAsTheFirstWouldHave() {
        AdamW first = new AdamW(UNCLIPPED, PARAMETERS);
        first.step(port, 0.01);
        first.step(port, 0.02);
        AdamW second = new AdamW(UNCLIPPED, PARAMETERS);
        second.restore(first.firstMoments(), first.secondMoments(), first.stepCount());
        float[] start = a.toFloatArray();
        first.step(port, 0.03);
        List<float[]> expected = state(first);
        a.floats().put(start);
        b.floats().put(0, b.floats().get(0));
        second.step(port, 0.03);
        assertThat(second.stepCount()).isEqualTo(3);
        assertThat(state(second).get(0)).isEqualTo(expected.get(0));
        assertThat(state(second).subList(2, 6)).usingRecursiveComparison().isEqualTo(expected.subList(2, 6));
    }

    @Test
    void restartForgetsMomentsAndSteps() {
        AdamW optimizer = new AdamW(UNCLIPPED, PARAMETERS);
        optimizer.step(port, 0.01);
        optimizer.restart();
        assertThat(optimizer.stepCount()).isZero();
        assertThat(state(optimizer).subList(2, 6))
                .allSatisfy(moment -> assertThat(moment).containsOnly(0));
    }

    @Test
    void refusesStateOfAnotherModel() {
        AdamW optimizer = new AdamW(UNCLIPPED, PARAMETERS);
        Map<String, HostTensor> moments = optimizer.firstMoments();
        moments.put("b", HostTensor.ofFloats(new float[2], 2));
        assertThatThrownBy(() -> optimizer.restore(optimizer.firstMoments(), moments, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage(
                        "second moment of b: expected FLOAT[1], got FLOAT[2]; does the optimizer's state belong to this model?");
    }

    @Test
    void refusesWhatIsOutOfRange() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AdamW.Settings(0.9, 1, 1e-8, 0, 0))
                .withMessage("beta2: expected in [0, 1), got 1.0");
        AdamW optimizer = new AdamW(UNCLIPPED, PARAMETERS);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> optimizer.step(port, Double.NaN))
                .withMessage("learningRate: expected finite and >= 0, got NaN");
        AdamW other = new AdamW(UNCLIPPED, PARAMETERS.subList(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> other.step(port, 0.01));
    }

    @ParameterizedTest
    @ValueSource(floats = {0, 1})
    void tenLossesAreThoseOfOnnxRuntimesOptimizer(float maximumGradientNorm, @TempDir Path directory) {
        OptimizerGraph graph = new OptimizerGraph(0.9f, 0.999f, 1e-8f, 0.01f, maximumGradientNorm);
        List<Float> expected = new ArrayList<>();
        try (TrainingSession session = LinearRegression.open(LinearRegression.write(directory, Optional.of(graph)))) {
            session.setLearningRate(0.05f);
            for (int step = 0; step < 10; step++) {
                session.lazyResetGrad();
                expected.add(session.trainStep(LinearRegression.batch(step % 2)).loss());
                session.optimizerStep();
            }
        }
        AdamW optimizer =
                new AdamW(new AdamW.Settings(0.9, 0.999, 1e-8, 0.01, maximumGradientNorm), LinearRegression.PARAMETERS);
        try (TrainingSession session = LinearRegression.open(LinearRegression.write(directory, Optional.empty()))) {
            for (int step = 0; step < 10; step++) {
                session.lazyResetGrad();
                StepResult result = session.trainStep(LinearRegression.batch(step % 2));
                // Both round differently; ten updates of 0.05 carry that on about linearly.
                assertThat(result.loss() / expected.get(step))
                        .as("loss of step %d", step)
                        .isCloseTo(1, within(1e-6f));
                optimizer.step(LinearRegression.port(result), 0.05f);
            }
        }
        assertThat(expected.get(8)).isLessThan(0.8f * expected.get(0));
    }
}
