package dev.holdfast.bench;

import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.nio.ByteBuffer;
import java.util.Random;

/**
 * Random logits from which larger tensors are filled: normal numbers of deviation 3 with one in fifty raised by 8, as trained models have
 * them; never zeros, which some processors handle faster.
 */
final class LogitTable {
    private static final int SIZE = 1 << 20;

    private final HostTensor logits;
    private final Random random;

    LogitTable(ElementType type, Random random) {
        this.random = random;
        this.logits = HostTensor.allocate(type, Shape.of(SIZE));
        ByteBuffer bytes = logits.bytes();
        for (int i = 0; i < SIZE; i++) {
            float logit = (float) (3 * random.nextGaussian() + (random.nextInt(50) == 0 ? 8 : 0));
            switch (type) {
                case FLOAT16 -> bytes.putShort(HalfPrecision.floatToHalf(logit));
                case BFLOAT16 -> bytes.putShort(HalfPrecision.floatToBfloat(logit));
                default -> bytes.putFloat(logit);
            }
        }
    }

    /** All of them. */
    HostTensor logits() {
        return logits;
    }

    /** Copies bytes of the table to a tensor. */
    interface Copy {
        void copy(int tableOffset, long tensorOffset, int count);
    }

    /** Fills a tensor of so many bytes with the table again and again, every time from another place. */
    void fill(long sizeBytes, Copy copy) {
        int count;
        for (long offset = 0; offset < sizeBytes; offset += count) {
            int start = random.nextInt(SIZE) * logits.elementType().sizeBytes();
            count = (int) Math.min(sizeBytes - offset, logits.sizeBytes() - start);
            copy.copy(start, offset, count);
        }
    }
}
