package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/** Spoils a good file in many ways and sees that a reader answers each with success or one of its two failures. */
final class Fuzz {
    private static final long[] HOSTILE = {
        0,
        1,
        -1,
        0x7f,
        0xff,
        0x7fff,
        0xffff,
        1L << 31,
        1L << 40,
        0xffffffffL,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };
    private static final int HEADER_BYTES = 4_096;

    private Fuzz() {}

    /**
     * Reads spoilt copies of a file.
     *
     * @param reader opens the file and reads all it holds
     */
    static void check(Path good, Path scratch, long seed, int rounds, Consumer<Path> reader) throws IOException {
        byte[] original = Files.readAllBytes(good);
        Random random = new Random(seed);
        for (int round = 0; round < rounds; round++) {
            byte[] spoilt = spoil(original, random);
            Files.write(scratch, spoilt);
            try {
                reader.accept(scratch);
            } catch (MalformedFileException | UnsupportedModelException e) {
                continue;
            } catch (Throwable e) {
                throw new AssertionError(
                        "round " + round + " of seed " + seed + ": expected success or a fault of the file, got " + e,
                        e);
            }
        }
    }

    private static byte[] spoil(byte[] original, Random random) {
        byte[] bytes = original.clone();
        switch (random.nextInt(4)) {
            case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1 -> flipBits(bytes, random);
            case 2 -> putHostile(bytes, random);
            default -> copyWithin(bytes, random);
        }
        return bytes;
    }

    /** Mostly where the structure is; spoilt values of tensors are hardly worth a round. */
    private static int position(byte[] bytes, Random random, int room) {
        int range = random.nextInt(4) == 0 ? bytes.length : Math.min(bytes.length, HEADER_BYTES);
        return random.nextInt(Math.max(1, range - room));
    }

    private static void flipBits(byte[] bytes, Random random) {
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
            bytes[position(bytes, random, 0)] ^= (byte) (1 << random.nextInt(8));
        }
    }

    private static void putHostile(byte[] bytes, Random random) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long value = HOSTILE[random.nextInt(HOSTILE.length)];
        if (random.nextBoolean()) {
            buffer.putLong(position(bytes, random, 8), value);
        } else {
            buffer.putInt(position(bytes, random, 4), (int) value);
        }
    }

    private static void copyWithin(byte[] bytes, Random random) {
        int length = 1 + random.nextInt(Math.min(64, bytes.length / 2));
        System.arraycopy(bytes, position(bytes, random, length), bytes, position(bytes, random, length), length);
    }
}
