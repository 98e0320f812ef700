package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GradientPortTest {
    @TempDir
    private Path directory;

    private TrainingSession session;

    @BeforeEach
    void open() {
        session = LinearRegression.open(LinearRegression.write(directory, Optional.empty()));
    }

    @AfterEach
    void close() {
        session.close();
    }

    /** Sums of a dozen products of size 1 in float: a relative error of some 1e-7 against sums of size 10. */
    private static final double TOLERANCE = 1e-5;

    @Test
    void gradientsOfTwoMicroBatchesAreTheSumByHand() {
        session.lazyResetGrad();
        session.trainStep(LinearRegression.batch(1));
        GradientPort port = LinearRegression.port(session.trainStep(LinearRegression.batch(2)));
        double[][] first = byHand(LinearRegression.batch(1), port);
        double[][] second = byHand(LinearRegression.batch(2), port);
        for (int parameter = 0; parameter < 2; parameter++) {
            float[] found = port.gradient(parameter).toFloatArray();
            for (int i = 0; i < found.length; i++) {
                assertThat((double) found[i]).isCloseTo(first[parameter][i] + second[parameter][i], within(TOLERANCE));
            }
        }
    }

    private static double[][] byHand(Map<String, HostTensor> batch, GradientPort port) {
        return LinearRegression.gradients(batch, port.parameter(0), port.parameter(1));
    }

    @Test
    void changedParametersReachTheNextStep() {
        session.lazyResetGrad();
        StepResult before = session.trainStep(LinearRegression.batch(1));
        GradientPort port = LinearRegression.port(before);
        for (int parameter = 0; parameter < 2; parameter++) {
            HostTensor values = port.parameter(parameter);
            for (int i = 0; i < values.elementCount(); i++) {
                values.floats().put(i, 0);
            }
        }
        double squaredTargets = 0;
        for (float target : LinearRegression.batch(1).get("target").toFloatArray()) {
            squaredTargets += target * target;
        }
        StepResult after = session.trainStep(LinearRegression.batch(1));
        assertThat((double) after.loss())
                .isCloseTo(squaredTargets, within(TOLERANCE))
                .isNotCloseTo(before.loss(), within(1.0));
    }

    @Test
    void addressesStayTheSameOverTenSteps() {
        long[] first =
                session.trainStep(LinearRegression.batch(0)).output("addresses").toLongArray();
        for (int step = 1; step < 10; step++) {
            session.lazyResetGrad();
            assertThat(session.trainStep(LinearRegression.batch(step))
                            .output("addresses")
                            .toLongArray())
                    .isEqualTo(first);
        }
    }

    @Test
    void refusesATensorOfOtherShape() {
        List<GradientPort.Parameter> parameters = LinearRegression.PARAMETERS;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GradientPort.of(HostTensor.ofLongs(new long[2], 1, 2), parameters))
                .withMessage("gradient port: expected INT64[2, 2], got INT64[1, 2]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GradientPort.of(HostTensor.ofFloats(new float[4], 2, 2), parameters));
    }
}
