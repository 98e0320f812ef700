package dev.holdfast.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.EmulatedCuda;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What stays behind after many calls through the binding: none of JavaCPP's objects, which hold all memory that the binding allocates. Of
 * the library's own allocations the C++ tests tell.
 */
class NativeLeakTest {
    private static final int TOKENS = 2;
    private static final int WIDTH = 16;

    private final HostTensor student = HostTensor.ofFloats(new float[TOKENS * WIDTH], TOKENS, WIDTH);
    private final HostTensor gradient = HostTensor.ofFloats(new float[TOKENS * WIDTH], TOKENS, WIDTH);
    private final HostTensor tokenLoss = HostTensor.ofFloats(new float[TOKENS], TOKENS);
    private final HostTensor loss = HostTensor.ofFloats(new float[1]);
    private final HostTensor labels = HostTensor.ofLongs(new long[] {3, -100}, TOKENS);
    private final HostTensor weights = HostTensor.ofFloats(new float[] {1, 1}, TOKENS);

    private static long address(HostTensor tensor) {
        return NativeMemory.address(tensor.bytes());
    }

    private static AnchorLossKernel.Rows rows(HostTensor tensor) {
        return new AnchorLossKernel.Rows(address(tensor), WIDTH, WIDTH, 1);
    }

    /** The emulated device's memory is the host's. */
    private void run(AnchorLossKernel.Backend backend, float temperature) {
        AnchorLossKernel.Sides sides =
                new AnchorLossKernel.Sides(TOKENS, rows(student), Optional.empty(), Optional.empty());
        AnchorLossKernel.Tokens tokens = new AnchorLossKernel.Tokens(address(labels), address(weights), 0);
        AnchorLossKernel.run(
                backend,
                new AnchorLossKernel.Options(0, 0, 0, temperature, 1, 1, 0.5f),
                sides,
                tokens,
                new AnchorLossKernel.Outputs(address(tokenLoss), 0, Optional.of(rows(gradient)), 1),
                new AnchorLossKernel.Launch(0, 0, 0));
        AnchorLossKernel.sum(backend, TOKENS, tokens, address(tokenLoss), address(loss), 0);
        AnchorLossKernel.workspaceBytes(backend, sides);
    }

    private void call(AnchorLossKernel.Backend backend) {
        run(backend, 1);
        if (backend == AnchorLossKernel.Backend.CUDA) {
            CudaMemory.allocate(64).close();
        }
        assertThat(catchThrowable(() -> run(backend, -1))).isInstanceOf(IllegalArgumentException.class);
    }

    /** On the emulated device a call takes milliseconds. */
    private static int calls(AnchorLossKernel.Backend backend) {
        return backend == AnchorLossKernel.Backend.CUDA ? 500 : 10_000;
    }

    @ParameterizedTest
    @EnumSource
    void nothingStaysBehind(AnchorLossKernel.Backend backend) {
        if (backend == AnchorLossKernel.Backend.CUDA) {
            EmulatedCuda.open();
        }
        call(backend);
        long objects = Pointer.totalCount();
        long bytes = Pointer.totalBytes();
        for (int i = 0; i < calls(backend); i++) {
            call(backend);
        }
        assertThat(Pointer.totalCount()).isLessThanOrEqualTo(objects);
        assertThat(Pointer.totalBytes()).isLessThanOrEqualTo(bytes);
    }
}
