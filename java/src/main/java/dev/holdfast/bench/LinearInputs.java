package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossOptions;
import dev.holdfast.loss.LabelWeighting;
import dev.holdfast.loss.LinearAnchorLoss;
import dev.holdfast.loss.LinearAnchorLossInputs;
import dev.holdfast.loss.LinearLogits;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/**
 * Hidden states and heads to measure a variant on: normal numbers whose logits have a deviation of 3. One set is enough, for heads and logits
 * do not stay in a cache from one run to the next.
 */
final class LinearInputs {
    private static final double LOGIT_DEVIATION = 3;

    private final Random random = new Random(1);
    private final LinearKernelCase kernelCase;
    private final AnchorLossOptions options;
    private final LinearAnchorLossInputs inputs;

    LinearInputs(LinearKernelCase kernelCase, LinearVariant variant, LinearAnchorLoss loss) {
        this.kernelCase = kernelCase;
        this.options = new AnchorLossOptions(
                kernelCase.divergence(), kernelCase.interpolation(), LabelWeighting.NONE, 1, 1, 0, KernelCase.BETA);
        LinearLogits student = new LinearLogits(hiddenStates(), head());
        LinearLogits snapshot =
                variant.heads() > 1 ? new LinearLogits(hiddenStates(), head()) : student.withHidden(hiddenStates());
        LinearLogits reference =
                variant.heads() > 2 ? new LinearLogits(hiddenStates(), head()) : snapshot.withHidden(hiddenStates());
        HostTensor alphas = constant(KernelCase.ALPHA);
        long[] labels =
                random.longs(kernelCase.rows(), 0, kernelCase.vocabulary()).toArray();
        this.inputs = new LinearAnchorLossInputs(
                student,
                variant.anchor(
                        snapshot,
                        reference,
                        () -> loss.mean(
                                options.interpolation(),
                                options.temperature(),
                                Optional.of(snapshot),
                                reference,
                                Optional.of(alphas))),
                HostTensor.ofLongs(labels, labels.length),
                constant(1f / kernelCase.rows()),
                Optional.of(alphas));
    }

    private HostTensor hiddenStates() {
        return normal(kernelCase.rows(), LOGIT_DEVIATION);
    }

    private HostTensor head() {
        return normal(kernelCase.vocabulary(), 1 / Math.sqrt(kernelCase.hidden()));
    }

    private HostTensor normal(int rows, double deviation) {
        HostTensor tensor = HostTensor.allocate(ElementType.FLOAT, Shape.of(rows, kernelCase.hidden()));
        FloatBuffer values = tensor.floats();
        while (values.hasRemaining()) {
            values.put((float) (deviation * random.nextGaussian()));
        }
        return tensor;
    }

    private HostTensor constant(float value) {
        float[] values = new float[kernelCase.rows()];
        Arrays.fill(values, value);
        return HostTensor.ofFloats(values, values.length);
    }

    LinearAnchorLossInputs inputs() {
        return inputs;
    }

    AnchorLossOptions options() {
        return options;
    }
}
