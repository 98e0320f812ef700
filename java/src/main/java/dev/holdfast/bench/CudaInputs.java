package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossViews;
import dev.holdfast.loss.CudaTensors;
import dev.holdfast.loss.CudaTensors.CudaTensor;
import dev.holdfast.natives.CudaLibrary.DeviceFacts;
import dev.holdfast.natives.CudaMemory;
import dev.holdfast.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** What {@link KernelInputs} are for the host, in memory of the current device: filled there, so that no size of the host's binds them. */
final class CudaInputs {
    /** Of the device's memory, what the sets may take. */
    private static final double MOST_OF_MEMORY = 0.7;

    private final KernelCase kernelCase;
    private final CudaTensors tensors;
    private final Random random = new Random(1);
    private final LogitTable table;
    private final CudaMemory tableOnDevice;
    private final List<Set> sets = new ArrayList<>();

    /** The student's logits stand apart, for the gradient overwrites them. */
    private record Set(CudaTensor student, AnchorLossViews views) {}

    CudaInputs(KernelCase kernelCase, CudaTensors tensors, DeviceFacts device) {
        this.kernelCase = kernelCase;
        this.tensors = tensors;
        this.table = new LogitTable(kernelCase.type(), random);
        this.tableOnDevice = tensors.copyOf(table.logits()).memory();
        long mostBytes = (long) (MOST_OF_MEMORY * device.memoryBytes());
        int count = KernelInputs.setCount(kernelCase, device.cacheBytes(), mostBytes);
        for (int i = 0; i < count; i++) {
            sets.add(set());
        }
    }

    private Set set() {
        CudaTensor student = logits();
        return new Set(
                student,
                new AnchorLossViews(
                        student.view(),
                        Optional.of(logits().view()),
                        Optional.of(logits().view()),
                        tensors.copyOf(KernelInputs.labels(kernelCase, random)).view(),
                        tensors.copyOf(KernelInputs.weights(kernelCase)).view(),
                        Optional.of(
                                tensors.copyOf(KernelInputs.alphas(kernelCase)).view())));
    }

    private CudaTensor logits() {
        CudaTensor logits = tensors.allocate(kernelCase.type(), Shape.of(kernelCase.rows(), kernelCase.vocabulary()));
        fill(logits.memory());
        return logits;
    }

    private void fill(CudaMemory logits) {
        table.fill(
                logits.sizeBytes(),
                (tableOffset, offset, count) -> logits.copyFrom(tableOnDevice, tableOffset, offset, count));
    }

    AnchorLossViews set(int index) {
        return sets.get(index % sets.size()).views();
    }

    CudaTensor student(int index) {
        return sets.get(index % sets.size()).student();
    }

    /** Writes the student's logits of a set anew. */
    void refresh(int index) {
        fill(student(index).memory());
    }
}
