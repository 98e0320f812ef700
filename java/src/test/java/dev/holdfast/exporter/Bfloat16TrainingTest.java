package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.runtime.StepResult;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.train.GradientPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Training with operands of bfloat16 against PyTorch in double precision, and no further from it than PyTorch's own autocast. */
class Bfloat16TrainingTest {
    /** Twice what PyTorch's autocast leaves to be desired, whose norms, softmax and sums between layers are rounded as well. */
    private static final double FACTOR = 2;

    static Stream<String> families() {
        return GoldenFamily.names();
    }

    @BeforeEach
    void aProcessorWithProductsOfBfloat16() {
        assumeThat(NativeLibrary.load().multipliesBfloat16())
                .as("this processor has neither AVX512_BF16 nor AMX")
                .isTrue();
    }

    private static TrainingSession open(GoldenFamily family, boolean bfloat16) {
        return family.openTraining(
                TrainingForm.SFT, Kernels.HOLDFAST, GoldenFamily.SETTINGS.withBfloat16Products(bfloat16));
    }

    private static StepResult step(TrainingSession session, GoldenFamily family) {
        session.lazyResetGrad();
        return session.trainStep(family.batch("", 1, 0, 1, 0));
    }

    /** In single precision all that follows would hold as well. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void theLossIsNotThatOfSinglePrecision(String name, @TempDir Path directory) {
        GoldenFamily family = new GoldenFamily(name, directory);
        try (TrainingSession rounded = open(family, true);
                TrainingSession single = open(family, false)) {
            assertThat(step(rounded, family).scalar(GraphNames.LOSS))
                    .isNotEqualTo(step(single, family).scalar(GraphNames.LOSS));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void everyGradientHasTheDirectionAndTheLengthOfTheTrueOne(String name, @TempDir Path directory) {
        GoldenFamily family = new GoldenFamily(name, directory);
        try (TrainingSession session = open(family, true)) {
            StepResult result = step(session, family);
            double expected = family.tensors().doubles("loss64")[0];
            double loss = result.scalar(GraphNames.LOSS);
            // A single number may be right by chance, so the scale is the largest error over the families.
            double ordinary = families()
                    .mapToDouble(Bfloat16TrainingTest::lossError)
                    .max()
                    .orElseThrow();
            assertThat(loss).isCloseTo(expected, within(ordinary));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), family.parameters());
            for (int i = 0; i < family.parameters().size(); i++) {
                GradientPort.Parameter parameter = family.parameters().get(i);
                HostTensor truth = family.tensors().get("grad." + parameter.name());
                assertThat(cosine(truth, port.gradient(i)))
                        .as("cosine of the gradient of %s", parameter.name())
                        .isGreaterThan(1 - FACTOR * (1 - ordinaryCosine(name, parameter)));
                assertThat(norm(port.gradient(i)) / norm(truth))
                        .as("norm of the gradient of %s, as a share of the true one", parameter.name())
                        .isCloseTo(1, within(lengthError(name)));
            }
        }
    }

    /** A matrix is measured by its own cosine. That of a vector, of a dozen elements at the least, may be good by chance: by the worst. */
    private static double ordinaryCosine(String family, GradientPort.Parameter parameter) {
        return parameter.shape().rank() > 1
                ? autocast(family)
                        .path("gradient_cosines")
                        .required(parameter.name())
                        .asDouble()
                : smallestCosine(family);
    }

    /**
     * The relative error of a gradient's length. An error ε across the gradient, as a share of its length, turns it by an angle of 1 − cos =
     * ε² / 2; one along it changes its length by ε. What the logits have lost goes into the gradients of all parameters alike, along some
     * and across others, so that the worst angle over the parameters says how large ε is: √(2 · (1 − cos)). With the factor, 0.04 for gpt2 and 0.28 for qwen2.
     */
    private static double lengthError(String family) {
        return Math.sqrt(2 * FACTOR * (1 - smallestCosine(family)));
    }

    private static double norm(HostTensor tensor) {
        double sum = 0;
        for (float value : tensor.toFloatArray()) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    private static double lossError(String family) {
        return autocast(family).path("loss_error").asDouble();
    }

    private static double smallestCosine(String family) {
        double smallest = 1;
        for (JsonNode cosine : autocast(family).path("gradient_cosines")) {
            smallest = Math.min(smallest, cosine.asDouble());
        }
        return smallest;
    }

    private static JsonNode autocast(String family) {
        try {
            Path file = Path.of("onnx-artifacts/golden", family, "bfloat16.json");
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double cosine(HostTensor truth, HostTensor ours) {
        float[] a = truth.toFloatArray();
        float[] b = ours.toFloatArray();
        double product = 0;
        double left = 0;
        double right = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            left += (double) a[i] * a[i];
            right += (double) b[i] * b[i];
        }
        return product / Math.sqrt(left * right);
    }
}
