package dev.holdfast.bench;

import dev.holdfast.loss.AnchorLossInputs;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Logits to measure on, in several sets that are used in turn, so that none is still in a cache when it comes round.
 *
 * <p>They are normal numbers of deviation 3 with one in fifty raised by 8, as trained models have them; never zeros, which some processors
 * handle faster. The gradient overwrites the student's logits, which {@link #refresh} writes anew.
 */
final class KernelInputs {
    private static final int TABLE_SIZE = 1 << 20;
    private static final int FEWEST_SETS = 2;
    private static final int MOST_SETS = 16;
    private static final long MOST_BYTES = 3L << 30;

    private final KernelCase kernelCase;
    private final ByteBuffer table;
    private final List<AnchorLossInputs> sets = new ArrayList<>();
    private final Random random = new Random(1);

    /**
     * Allocates the sets.
     *
     * @param cacheBytes the size of the largest cache, which all sets together exceed twice, memory permitting
     */
    KernelInputs(KernelCase kernelCase, long cacheBytes) {
        this.kernelCase = kernelCase;
        this.table = table(kernelCase.type(), random);
        long setBytes = 3 * kernelCase.sideBytes();
        long wanted = Math.max(FEWEST_SETS, Math.min(MOST_SETS, 2 * cacheBytes / setBytes + 1));
        long count = Math.max(1, Math.min(wanted, MOST_BYTES / setBytes));
        for (int set = 0; set < count; set++) {
            sets.add(inputs());
        }
    }

    private static ByteBuffer table(ElementType type, Random random) {
        ByteBuffer table =
                ByteBuffer.allocateDirect(TABLE_SIZE * type.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < TABLE_SIZE; i++) {
            float logit = (float) (3 * random.nextGaussian() + (random.nextInt(50) == 0 ? 8 : 0));
            switch (type) {
                case FLOAT16 -> table.putShort(HalfPrecision.floatToHalf(logit));
                case BFLOAT16 -> table.putShort(HalfPrecision.floatToBfloat(logit));
                default -> table.putFloat(logit);
            }
        }
        return table.rewind();
    }

    private AnchorLossInputs inputs() {
        int rows = kernelCase.rows();
        float[] weights = new float[rows];
        Arrays.fill(weights, 1f / rows);
        float[] alphas = new float[rows];
        Arrays.fill(alphas, KernelCase.ALPHA);
        long[] labels = random.longs(rows, 0, kernelCase.vocabulary()).toArray();
        return new AnchorLossInputs(
                logits(),
                Optional.of(logits()),
                Optional.of(logits()),
                HostTensor.ofLongs(labels, rows),
                HostTensor.ofFloats(weights, rows),
                Optional.of(HostTensor.ofFloats(alphas, rows)));
    }

    private HostTensor logits() {
        HostTensor logits =
                HostTensor.allocate(kernelCase.type(), Shape.of(kernelCase.rows(), kernelCase.vocabulary()));
        fill(logits);
        return logits;
    }

    /** Copies the table again and again, every time from another place. */
    private void fill(HostTensor logits) {
        ByteBuffer target = logits.bytes();
        int elementBytes = kernelCase.type().sizeBytes();
        while (target.hasRemaining()) {
            int start = random.nextInt(TABLE_SIZE) * elementBytes;
            int length = Math.min(target.remaining(), table.capacity() - start);
            target.put(table.slice(start, length));
        }
    }

    int count() {
        return sets.size();
    }

    AnchorLossInputs set(int index) {
        return sets.get(index % sets.size());
    }

    /** Writes the student's logits of a set anew. */
    void refresh(int index) {
        fill(set(index).student());
    }
}
