package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.DirectAnchorLoss.Launch;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import dev.holdfast.testing.EmulatedCuda;
import java.util.Optional;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** How a trainer with JavaCPP's CUDA presets calls the loss. The emulated device's memory is the host's, and streams are not looked at. */
class JavaCppPointersTest {
    private static TensorView view(Pointer pointer, ElementType type, long... shape) {
        return TensorView.cuda(pointer.address(), type, Shape.of(shape));
    }

    @Test
    void deviceMemoryAndStreamsAreGivenByTheirAddresses() {
        EmulatedCuda.open();
        try (FloatPointer logits = new FloatPointer(0f, 0f, 0f, 0f);
                FloatPointer reference = new FloatPointer(1f, 1f, 1f, 1f);
                LongPointer labels = new LongPointer(new long[] {2});
                FloatPointer weights = new FloatPointer(1f);
                FloatPointer alphas = new FloatPointer(0.5f);
                FloatPointer statistics = new FloatPointer(LossStatistic.COUNT);
                CUstream_st stream = new CUstream_st((Pointer) null)) {
            TensorView student = view(logits, ElementType.FLOAT, 1, 4);
            AnchorLossViews inputs = new AnchorLossViews(
                    student,
                    Optional.empty(),
                    Optional.of(view(reference, ElementType.FLOAT, 1, 4)),
                    view(labels, ElementType.INT64, 1),
                    view(weights, ElementType.FLOAT, 1),
                    Optional.of(view(alphas, ElementType.FLOAT, 1)));
            AnchorLossTargets targets = AnchorLossTargets.NONE
                    .withStatistics(view(statistics, ElementType.FLOAT, 1, LossStatistic.COUNT))
                    .withGradient(student, GradientMode.OVERWRITE);
            DirectAnchorLoss kernels = DirectAnchorLoss.create(AnchorLoss.Backend.CUDA);

            kernels.run(inputs, AnchorLossOptions.anchored(Interpolation.LOGIT), targets, Launch.on(stream.address()));

            // Uniform distributions differ in nothing, and a rounding or two of log 4 is left.
            assertThat(logits.get(0)).isCloseTo(0, within(0x1p-22f));
            assertThat(statistics.get(LossStatistic.STUDENT_ENTROPY.column()))
                    .isCloseTo((float) Math.log(4), within(0x1p-22f));
        }
    }
}
