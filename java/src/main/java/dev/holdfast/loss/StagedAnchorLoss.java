package dev.holdfast.loss;

import dev.holdfast.natives.CudaMemory;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.tensor.TensorView;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** The CUDA kernels on tensors of the host: copied to the device, computed there and copied back, with memory of the call's own. */
final class StagedAnchorLoss implements AnchorLoss {
    private final DirectAnchorLoss kernels = DirectAnchorLoss.create(Backend.CUDA);

    @Override
    public AnchorLossResult compute(AnchorLossInputs inputs, AnchorLossOptions options, Optional<HostTensor> gradient) {
        AnchorLoss.requireComputable(inputs, gradient);
        int tokens = inputs.tokenCount();
        HostTensor tokenLoss = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens));
        HostTensor statistics = HostTensor.allocate(ElementType.FLOAT, Shape.of(tokens, LossStatistic.COUNT));
        try (Stage stage = new Stage()) {
            AnchorLossViews views = stage.copies(inputs);
            Room ofLoss = stage.roomFor(tokenLoss);
            Room ofStatistics = stage.roomFor(statistics);
            Optional<Room> ofGradient = gradient.map(stage::roomFor);
            AnchorLossTargets targets =
                    AnchorLossTargets.NONE.withTokenLoss(ofLoss.view()).withStatistics(ofStatistics.view());
            kernels.run(
                    views,
                    options,
                    ofGradient
                            .map(room -> targets.withGradient(room.view(), GradientMode.OVERWRITE))
                            .orElse(targets),
                    DirectAnchorLoss.Launch.DEFAULT.withWorkspace(stage.scratch(kernels.workspaceBytes(views))));
            ofLoss.copyTo(tokenLoss);
            ofStatistics.copyTo(statistics);
            ofGradient.ifPresent(room -> room.copyTo(gradient.orElseThrow()));
        }
        return AnchorLossResult.of(inputs, tokenLoss, statistics, gradient);
    }

    /** Memory of the device for one tensor. */
    private record Room(CudaMemory memory, TensorView view) {
        void copyTo(HostTensor tensor) {
            memory.copyTo(tensor.bytes());
        }
    }

    /** All memory of one call. */
    private static final class Stage implements AutoCloseable {
        private final Deque<CudaMemory> memories = new ArrayDeque<>();

        AnchorLossViews copies(AnchorLossInputs inputs) {
            return new AnchorLossViews(
                    copyOf(inputs.student()),
                    inputs.snapshot().map(this::copyOf),
                    inputs.reference().map(this::copyOf),
                    copyOf(inputs.labels()),
                    copyOf(inputs.weights()),
                    inputs.alphas().map(this::copyOf));
        }

        private TensorView copyOf(HostTensor tensor) {
            Room room = roomFor(tensor);
            room.memory().copyFrom(tensor.bytes());
            return room.view();
        }

        Room roomFor(HostTensor tensor) {
            CudaMemory memory = allocate(tensor.sizeBytes());
            return new Room(memory, TensorView.cuda(memory.address(), tensor.elementType(), tensor.shape()));
        }

        TensorView scratch(long sizeBytes) {
            return TensorView.cuda(allocate(sizeBytes).address(), ElementType.UINT8, Shape.of(sizeBytes));
        }

        private CudaMemory allocate(long sizeBytes) {
            CudaMemory memory = CudaMemory.allocate(sizeBytes);
            memories.push(memory);
            return memory;
        }

        @Override
        public void close() {
            while (!memories.isEmpty()) {
                memories.pop().close();
            }
        }
    }
}
