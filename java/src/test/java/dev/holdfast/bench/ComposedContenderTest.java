package dev.holdfast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.AnchorLossResult;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A peer that computes something else is no peer. */
class ComposedContenderTest {
    /** Float32 log-softmaxes of logits of some tens carry errors of some 2⁻²⁰; gradients are scaled by probabilities of at most 1. */
    private static final double TOLERANCE = 0x1p-18;

    static Stream<Arguments> forms() {
        return Arrays.stream(Divergence.values()).flatMap(divergence -> Arrays.stream(Interpolation.values())
                .map(form -> Arguments.of(divergence, form)));
    }

    @ParameterizedTest
    @MethodSource("forms")
    void computesTheLossAndItsGradient(Divergence divergence, Interpolation interpolation) {
        KernelCase kernelCase = new KernelCase(3, 50, ElementType.FLOAT, divergence, interpolation);
        KernelInputs sets = new KernelInputs(kernelCase, 1);
        AnchorLossInputs inputs = sets.set(0);
        AnchorLossOptions options =
                new AnchorLossOptions(divergence, interpolation, LabelWeighting.NONE, 1, 1, 0, KernelCase.BETA);
        AnchorLossResult truth = AnchorLoss.create(AnchorLoss.Backend.JAVA).compute(inputs, options);
        try (ComposedContender composed = new ComposedContender(kernelCase, sets, 1)) {
            Map<String, HostTensor> results = composed.compute(inputs);
            assertClose(truth.tokenLoss(), results.get("token_loss"));
            assertClose(truth.studentGradient().orElseThrow(), results.get("gradient"));
        }
    }

    private static void assertClose(HostTensor truth, HostTensor ours) {
        float[] expected = truth.toFloatArray();
        float[] got = ours.toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) got[i]).isCloseTo(expected[i], within(TOLERANCE * (1 + Math.abs(expected[i]))));
        }
    }
}
