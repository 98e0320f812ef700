package dev.holdfast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.loss.AnchorLoss;
import dev.holdfast.loss.CudaTensors;
import dev.holdfast.loss.LossStatistic;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.testing.EmulatedCuda;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The way through a device's memory and clock, on an emulated device; how fast anything is, no test asks. */
class CudaContenderTest {

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "FLOAT16", "BFLOAT16"})
    void measuresOnTheDevice(ElementType type) {
        EmulatedCuda.open();
        KernelCase kernelCase = new KernelCase(2, 101, type, Divergence.FORWARD_KL, Interpolation.LOGIT);
        KernelResult result = new KernelBenchmark(2, 1, 1)
                .run(kernelCase, List.of(AnchorLoss.Backend.CUDA), false)
                .get(0);
        assertThat(result.absent()).isNull();
        assertThat(result.backend()).isEqualTo("cuda");
        assertThat(result.isa()).startsWith("sm_");
        assertThat(result.threads()).isNull();
        assertThat(result.medianMillis()).isPositive();
        assertThat(result.copyFraction()).isPositive();
        // The losses and statistics of two tokens, beside a workspace if there is one.
        assertThat(result.peakBytes()).isGreaterThanOrEqualTo(2 * (1 + LossStatistic.COUNT) * 4);
    }

    @Test
    void writesTheLogitsAnewThatTheGradientHasOverwritten() {
        KernelCase kernelCase = new KernelCase(2, 101, ElementType.FLOAT, Divergence.JSD, Interpolation.LOGIT);
        try (CudaTensors tensors = new CudaTensors()) {
            CudaInputs inputs =
                    new CudaInputs(kernelCase, tensors, EmulatedCuda.open().device());
            HostTensor student = HostTensor.allocate(ElementType.FLOAT, Shape.of(2, 101));
            inputs.student(0).copyFrom(student);
            inputs.refresh(0);
            inputs.student(0).copyTo(student);
            assertThat(student.toFloatArray()).doesNotContain(0f);
        }
    }
}
