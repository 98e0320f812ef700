package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Logits of the host to measure on, in several sets that are used in turn, so that none is still in a cache when it comes round. They are
 * allocated when the first is wanted. The gradient overwrites the student's logits, which {@link #refresh} writes anew.
 */
final class KernelInputs {
    private static final int FEWEST_SETS = 2;
    private static final int MOST_SETS = 16;
    private static final long MOST_BYTES = 3L << 30;

    private final KernelCase kernelCase;
    private final long cacheBytes;
    private final Random random = new Random(1);
    private final List<AnchorLossInputs> sets = new ArrayList<>();
    private LogitTable table;

    /**
     * Allocates nothing yet.
     *
     * @param cacheBytes the size of the largest cache, which all sets together exceed twice, memory permitting
     */
    KernelInputs(KernelCase kernelCase, long cacheBytes) {
        this.kernelCase = kernelCase;
        this.cacheBytes = cacheBytes;
    }

    /**
     * How many sets there should be.
     *
     * @param cacheBytes of the largest cache, which all sets together exceed twice, memory permitting
     * @param mostBytes that all sets together may take; one set there always is
     */
    static int setCount(KernelCase kernelCase, long cacheBytes, long mostBytes) {
        long setBytes = 3 * kernelCase.sideBytes();
        long wanted = Math.max(FEWEST_SETS, Math.min(MOST_SETS, 2 * cacheBytes / setBytes + 1));
        return (int) Math.max(1, Math.min(wanted, mostBytes / setBytes));
    }

    static HostTensor labels(KernelCase kernelCase, Random random) {
        int rows = kernelCase.rows();
        return HostTensor.ofLongs(random.longs(rows, 0, kernelCase.vocabulary()).toArray(), rows);
    }

    static HostTensor weights(KernelCase kernelCase) {
        return constant(kernelCase, 1f / kernelCase.rows());
    }

    static HostTensor alphas(KernelCase kernelCase) {
        return constant(kernelCase, KernelCase.ALPHA);
    }

    private static HostTensor constant(KernelCase kernelCase, float value) {
        float[] values = new float[kernelCase.rows()];
        Arrays.fill(values, value);
        return HostTensor.ofFloats(values, values.length);
    }

    private AnchorLossInputs inputs() {
        return new AnchorLossInputs(
                logits(),
                Optional.of(logits()),
                Optional.of(logits()),
                labels(kernelCase, random),
                weights(kernelCase),
                Optional.of(alphas(kernelCase)));
    }

    private HostTensor logits() {
        HostTensor logits =
                HostTensor.allocate(kernelCase.type(), Shape.of(kernelCase.rows(), kernelCase.vocabulary()));
        fill(logits);
        return logits;
    }

    private void fill(HostTensor logits) {
        ByteBuffer target = logits.bytes();
        table.fill(
                target.capacity(),
                (tableOffset, offset, count) ->
                        target.put((int) offset, table.logits().bytes(), tableOffset, count));
    }

    AnchorLossInputs set(int index) {
        if (sets.isEmpty()) {
            table = new LogitTable(kernelCase.type(), random);
            int count = setCount(kernelCase, cacheBytes, MOST_BYTES);
            for (int i = 0; i < count; i++) {
                sets.add(inputs());
            }
        }
        return sets.get(index % sets.size());
    }

    /** Writes the student's logits of a set anew. */
    void refresh(int index) {
        fill(set(index).student());
    }
}
