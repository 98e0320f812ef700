package dev.holdfast.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.natives.CudaMemory;
import dev.holdfast.natives.NativeMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import dev.holdfast.testing.EmulatedCuda;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows at a distance, modes of the gradient, results that are not wanted, workspaces and foreign memory; the numbers are the contract's. */
class DirectAnchorLossTest {
    private static final int TOKENS = 3;
    private static final int WIDTH = 37;
    private static final int STRIDE = 40;
    private static final float UNTOUCHED = 5;
    private static final AnchorLossOptions OPTIONS =
            new AnchorLossOptions(Divergence.FORWARD_KL, Interpolation.LOGIT, LabelWeighting.NONE, 1, 1, 0.5f, 0.5f);

    private final List<CudaMemory> memories = new ArrayList<>();
    private final AnchorLossInputs inputs = inputs();

    private static AnchorLossInputs inputs() {
        Random random = new Random(1);
        HostTensor snapshot = AnchorLossContract.logits(random, TOKENS, WIDTH, 2);
        AnchorLossInputs tokens = AnchorLossContract.tokens(
                random,
                AnchorLossContract.near(snapshot, random, 0.3),
                snapshot,
                AnchorLossContract.near(snapshot, random, 1));
        tokens.labels().longs().put(1, AnchorLossInputs.IGNORE_INDEX);
        return tokens;
    }

    @AfterEach
    void freeMemory() {
        memories.forEach(CudaMemory::close);
    }

    /** A tensor in the backend's memory and the way back. */
    private final class Placed {
        private final HostTensor host;
        private final Optional<CudaMemory> device;
        private final TensorView view;

        Placed(AnchorLoss.Backend backend, HostTensor host) {
            this.host = host;
            if (backend == AnchorLoss.Backend.CUDA) {
                EmulatedCuda.open();
                CudaMemory memory = CudaMemory.allocate(host.sizeBytes());
                memories.add(memory);
                memory.copyFrom(host.bytes());
                this.device = Optional.of(memory);
                this.view = TensorView.cuda(memory.address(), host.elementType(), host.shape());
            } else {
                this.device = Optional.empty();
                this.view = TensorView.host(NativeMemory.address(host.bytes()), host.elementType(), host.shape());
            }
        }

        /** The first columns of its rows. */
        TensorView columns(int count) {
            long[] shape = host.shape().toArray();
            return new TensorView(
                    view.memory(), view.address(), view.elementType(), Shape.of(shape[0], count), shape[1]);
        }

        float[] read() {
            device.ifPresent(memory -> memory.copyTo(host.bytes()));
            return host.toFloatArray();
        }
    }

    private static HostTensor filled(long... dimensions) {
        float[] values = new float[(int) Shape.of(dimensions).elementCount()];
        Arrays.fill(values, UNTOUCHED);
        return HostTensor.ofFloats(values, dimensions);
    }

    private static HostTensor spread(HostTensor rows) {
        HostTensor wide = filled(TOKENS, STRIDE);
        for (int row = 0; row < TOKENS; row++) {
            for (int v = 0; v < WIDTH; v++) {
                wide.floats().put(row * STRIDE + v, rows.floats().get(row * WIDTH + v));
            }
        }
        return wide;
    }

    private AnchorLossViews views(AnchorLoss.Backend backend, TensorView student) {
        return new AnchorLossViews(
                student,
                inputs.snapshot().map(logits -> new Placed(backend, logits).view),
                inputs.reference().map(logits -> new Placed(backend, spread(logits)).columns(WIDTH)),
                new Placed(backend, inputs.labels()).view,
                new Placed(backend, inputs.weights()).view,
                inputs.alphas().map(values -> new Placed(backend, values).view));
    }

    private static DirectAnchorLoss.Launch launch(TensorView workspace) {
        return DirectAnchorLoss.Launch.DEFAULT.withWorkspace(workspace);
    }

    private void run(
            DirectAnchorLoss kernels, AnchorLoss.Backend backend, AnchorLossViews views, AnchorLossTargets targets) {
        long bytes = kernels.workspaceBytes(views);
        HostTensor scratch = HostTensor.allocate(ElementType.UINT8, Shape.of(bytes));
        kernels.run(views, OPTIONS, targets, launch(new Placed(backend, scratch).view));
    }

    @ParameterizedTest
    @EnumSource(names = "JAVA", mode = EnumSource.Mode.EXCLUDE)
    void takesRowsAtADistanceAndWritesOnlyWhatIsTheirs(AnchorLoss.Backend backend) {
        AnchorLossResult truth =
                AnchorLoss.create(AnchorLoss.Backend.NATIVE_REFERENCE).compute(inputs, OPTIONS);
        Placed student = new Placed(backend, spread(inputs.student()));
        Placed tokenLoss = new Placed(backend, filled(TOKENS));
        Placed loss = new Placed(backend, filled());
        Placed statistics = new Placed(backend, filled(TOKENS, LossStatistic.COUNT));
        TensorView rows = student.columns(WIDTH);

        run(
                DirectAnchorLoss.create(backend),
                backend,
                views(backend, rows),
                AnchorLossTargets.NONE
                        .withTokenLoss(tokenLoss.view)
                        .withLoss(loss.view)
                        .withStatistics(statistics.view)
                        .withGradient(rows, GradientMode.OVERWRITE));

        assertClose(tokenLoss.read(), truth.tokenLoss().toFloatArray());
        assertClose(loss.read(), (float) truth.loss());
        assertClose(statistics.read(), truth.statistics().toFloatArray());
        assertClose(
                student.read(), spread(truth.studentGradient().orElseThrow()).toFloatArray());
    }

    @ParameterizedTest
    @EnumSource(names = "JAVA", mode = EnumSource.Mode.EXCLUDE)
    void addsToAGradientAndLeavesIgnoredTokensAlone(AnchorLoss.Backend backend) {
        float[] truth = AnchorLoss.create(AnchorLoss.Backend.NATIVE_REFERENCE)
                .compute(inputs, OPTIONS)
                .studentGradient()
                .orElseThrow()
                .toFloatArray();
        Placed gradient = new Placed(backend, filled(TOKENS, WIDTH));

        run(
                DirectAnchorLoss.create(backend),
                backend,
                views(backend, new Placed(backend, inputs.student()).view),
                AnchorLossTargets.NONE.withGradient(gradient.view, GradientMode.ACCUMULATE));

        for (int i = 0; i < truth.length; i++) {
            truth[i] += UNTOUCHED;
        }
        assertClose(gradient.read(), truth);
    }

    /** Four units in the last place: where a row begins may change the order of its sums, and a sum may be rounded once or twice. */
    private static void assertClose(float[] ours, float... truth) {
        assertThat(ours).hasSameSizeAs(truth);
        for (int i = 0; i < truth.length; i++) {
            assertThat(ours[i])
                    .as("element %d", i)
                    .isCloseTo(truth[i], within(0x1p-21f * Math.max(1, Math.abs(truth[i]))));
        }
    }

    @ParameterizedTest
    @EnumSource(names = "JAVA", mode = EnumSource.Mode.EXCLUDE)
    void computesNothingThatIsNotWanted(AnchorLoss.Backend backend) {
        Placed student = new Placed(backend, inputs.student());
        float[] before = student.read();
        run(DirectAnchorLoss.create(backend), backend, views(backend, student.view), AnchorLossTargets.NONE);
        assertThat(student.read()).isEqualTo(before);
    }

    @Test
    void refusesMemoryOfAnotherKind() {
        TensorView student = new Placed(AnchorLoss.Backend.CPU, inputs.student()).view;
        AnchorLossViews host = views(AnchorLoss.Backend.CPU, student);
        assertThat(refusal(AnchorLoss.Backend.CUDA, host, AnchorLossTargets.NONE))
                .isEqualTo("student: expected CUDA memory, got HOST FLOAT[3, 37]; copy it to the device, or let "
                        + "AnchorLoss.create(CUDA) do that");
        TensorView onDevice = TensorView.cuda(student.address(), ElementType.FLOAT, Shape.of(TOKENS));
        assertThat(refusal(AnchorLoss.Backend.CPU, host, AnchorLossTargets.NONE.withTokenLoss(onDevice)))
                .isEqualTo(
                        "tokenLoss: expected HOST memory, got CUDA FLOAT[3]; the kernels on it are those of the backend "
                                + "CUDA");
    }

    private static String refusal(AnchorLoss.Backend backend, AnchorLossViews views, AnchorLossTargets targets) {
        return AnchorLossContract.messageOf(
                () -> DirectAnchorLoss.create(backend).run(views, OPTIONS, targets, DirectAnchorLoss.Launch.DEFAULT));
    }

    @Test
    void refusesTargetsThatDoNotFit() {
        AnchorLoss.Backend cpu = AnchorLoss.Backend.CPU;
        AnchorLossViews host = views(cpu, new Placed(cpu, inputs.student()).view);
        TensorView wide = new Placed(cpu, filled(TOKENS, STRIDE)).view;
        assertThat(refusal(cpu, host, AnchorLossTargets.NONE.withGradient(wide, GradientMode.OVERWRITE)))
                .isEqualTo("gradient: expected shape [3, 37], got HOST FLOAT[3, 40]");
        assertThat(refusal(cpu, host, AnchorLossTargets.NONE.withStatistics(wide)))
                .isEqualTo("statistics: expected FLOAT[3, 11], got FLOAT[3, 40]");
        TensorView distant = TensorView.host(wide.address(), ElementType.FLOAT, Shape.of(TOKENS, LossStatistic.COUNT))
                .withRowStride(STRIDE);
        assertThat(refusal(cpu, host, AnchorLossTargets.NONE.withStatistics(distant)))
                .isEqualTo("statistics: expected dense rows, got HOST FLOAT[3, 11] of stride 40");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AnchorLossTargets.NONE.withLoss(wide))
                .withMessage("loss: expected tokenLoss beside it, got none");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> wide.withRowStride(STRIDE - 1))
                .withMessage("tensor [3, 40]: expected a row stride >= 40, got 39");
        assertThatIllegalArgumentException().isThrownBy(() -> DirectAnchorLoss.create(AnchorLoss.Backend.JAVA));
    }

    @Test
    void deviceMemoryKeepsToItsBounds() {
        EmulatedCuda.open();
        try (CudaMemory memory = CudaMemory.allocate(8);
                CudaMemory other = CudaMemory.allocate(4)) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(8).putLong(0, 77);
            memory.copyFrom(bytes);
            other.copyFrom(memory, 4, 0, 4);
            ByteBuffer half = ByteBuffer.allocateDirect(4);
            other.copyTo(half);
            assertThat(half.getInt(0)).isEqualTo(77);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> other.copyFrom(bytes))
                    .withMessage("CUDA memory of 4 bytes: expected a range inside, got 8 bytes from 0");
            assertThatIllegalArgumentException().isThrownBy(() -> other.copyFrom(memory, 5, 0, 4));
            assertThatIllegalArgumentException().isThrownBy(() -> other.copyFrom(memory, 0, 1, 4));
        }
    }
}
