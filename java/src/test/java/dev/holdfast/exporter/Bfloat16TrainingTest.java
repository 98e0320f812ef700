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

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void everyGradientPointsWhereTheTrueOneDoes(String name, @TempDir Path directory) {
        assumeThat(NativeLibrary.load().multipliesBfloat16())
                .as("this processor has neither AVX512_BF16 nor AMX")
                .isTrue();
        GoldenFamily family = new GoldenFamily(name, directory);
        try (TrainingSession session = family.openTraining(
                TrainingForm.SFT, Kernels.HOLDFAST, GoldenFamily.SETTINGS.withBfloat16Products(true))) {
            session.lazyResetGrad();
            StepResult result = session.trainStep(family.batch("", 1, 0, 1, 0));
            double expected = family.tensors().doubles("loss64")[0];
            double loss = result.scalar(GraphNames.LOSS);
            // A single number may be right by chance, so the scale is the largest error over the families.
            double ordinary = families()
                    .mapToDouble(Bfloat16TrainingTest::lossError)
                    .max()
                    .orElseThrow();
            assertThat(loss).isCloseTo(expected, within(ordinary));
            double deviation = FACTOR * (1 - smallestCosine(name));
            GradientPort port = GradientPort.of(result.output(GraphNames.GRADIENT_PORT), family.parameters());
            for (int i = 0; i < family.parameters().size(); i++) {
                String parameter = family.parameters().get(i).name();
                assertThat(cosine(family.tensors().get("grad." + parameter), port.gradient(i)))
                        .as("cosine of the gradient of %s", parameter)
                        .isGreaterThan(1 - deviation);
            }
        }
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
