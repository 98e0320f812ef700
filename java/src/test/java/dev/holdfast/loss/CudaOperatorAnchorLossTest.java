package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.Interpolation;
import dev.holdfast.natives.OperatorRun;
import dev.holdfast.testing.EmulatedCuda;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The operator of CUDA's provider on the emulated device, with the CPU's provider around it: device memory is the host's there. */
class CudaOperatorAnchorLossTest extends OperatorAnchorLossTest {
    private static Path library;

    @BeforeAll
    static void findLibrary() {
        EmulatedCuda.open();
        library = EmulatedCuda.built("libholdfast_cuda_operator_on_cpu.so");
    }

    @Override
    OperatorRun operator() {
        return super.operator().library(library);
    }

    /** To look at values that lie on the device, the host would have to wait for it. */
    @Test
    @Override
    void refusesValuesOutOfRangeByName() {
        AnchorLossOptions options = AnchorLossOptions.anchored(Interpolation.LOGIT);
        Random random = new Random(7);
        AnchorLossInputs inputs =
                tokens(random, logits(random, 2, 8, 2), logits(random, 2, 8, 2), logits(random, 2, 8, 2));
        inputs.labels().longs().put(0, 8);
        AnchorLossResult result = compute(inputs, options);
        float[] gradient = result.studentGradient().orElseThrow().toFloatArray();
        assertThat(Arrays.copyOfRange(gradient, 0, 8)).containsOnly(Float.NaN);
        assertThat(Arrays.copyOfRange(gradient, 8, 16)).doesNotContain(Float.NaN);
        assertThat(result.tokenLoss().floats().get(0)).isNaN();
        assertThat(result.loss()).isNaN();
    }
}
