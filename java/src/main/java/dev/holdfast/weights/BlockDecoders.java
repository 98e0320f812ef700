package dev.holdfast.weights;

import dev.holdfast.tensor.HalfPrecision;

/**
 * One method for each storage format: the values of one block.
 *
 * <p>The operations and their order are those of ggml, so that the values are the same to the last bit. Scales come first in a block
 * unless a method says otherwise; {@code d} is the scale and {@code m} the minimum, both half precision.
 */
final class BlockDecoders {
    private static final int HALF_BLOCK = 16;
    private static final int SUPER_SCALES = 4;
    private static final int SUPER_HIGH_BITS = 16;

    private BlockDecoders() {}

    static void single(byte[] source, int from, float[] target, int to) {
        target[to] = Float.intBitsToFloat(int32(source, from));
    }

    static void half(byte[] source, int from, float[] target, int to) {
        target[to] = half(source, from);
    }

    static void bfloat(byte[] source, int from, float[] target, int to) {
        target[to] = HalfPrecision.bfloatToFloat(int16(source, from));
    }

    /** x = d (q − 8); the low nibbles are the first half of the block. */
    static void q4Symmetric(byte[] source, int from, float[] target, int to) {
        float d = half(source, from);
        for (int j = 0; j < HALF_BLOCK; j++) {
            int q = source[from + 2 + j];
            target[to + j] = d * ((q & 0xf) - 8);
            target[to + j + HALF_BLOCK] = d * ((q >> 4 & 0xf) - 8);
        }
    }

    /** x = d q + m. */
    static void q4Affine(byte[] source, int from, float[] target, int to) {
        float d = half(source, from);
        float m = half(source, from + 2);
        for (int j = 0; j < HALF_BLOCK; j++) {
            int q = source[from + 4 + j];
            target[to + j] = d * (q & 0xf) + m;
            target[to + j + HALF_BLOCK] = d * (q >> 4 & 0xf) + m;
        }
    }

    /** x = d (q − 16); the fifth bits of all 32 values come before the nibbles. */
    static void q5Symmetric(byte[] source, int from, float[] target, int to) {
        float d = half(source, from);
        int high = int32(source, from + 2);
        for (int j = 0; j < HALF_BLOCK; j++) {
            int q = source[from + 6 + j];
            target[to + j] = d * ((q & 0xf | (high >>> j & 1) << 4) - 16);
            target[to + j + HALF_BLOCK] = d * ((q >> 4 & 0xf | (high >>> j + HALF_BLOCK & 1) << 4) - 16);
        }
    }

    /** x = d q + m; the fifth bits of all 32 values come before the nibbles. */
    static void q5Affine(byte[] source, int from, float[] target, int to) {
        float d = half(source, from);
        float m = half(source, from + 2);
        int high = int32(source, from + 4);
        for (int j = 0; j < HALF_BLOCK; j++) {
            int q = source[from + 8 + j];
            target[to + j] = d * (q & 0xf | (high >>> j & 1) << 4) + m;
            target[to + j + HALF_BLOCK] = d * (q >> 4 & 0xf | (high >>> j + HALF_BLOCK & 1) << 4) + m;
        }
    }

    /** x = d q with signed q. */
    static void q8Symmetric(byte[] source, int from, float[] target, int to) {
        float d = half(source, from);
        for (int j = 0; j < 32; j++) {
            target[to + j] = d * source[from + 2 + j];
        }
    }

    /** Eight sub-blocks of 32, x = (d s) q − (m t), with 6-bit s and t; each 32 bytes of nibbles serve two sub-blocks. */
    static void q4Super(byte[] source, int from, float[] target, int to) {
        int scales = from + SUPER_SCALES;
        int nibbles = scales + 12;
        for (int block = 0; block < 8; block++) {
            float d = half(source, from) * superScale(source, scales, block);
            float m = half(source, from + 2) * superMinimum(source, scales, block);
            int shift = 4 * (block & 1);
            int first = nibbles + 32 * (block >> 1);
            for (int j = 0; j < 32; j++) {
                target[to + 32 * block + j] = d * (source[first + j] >> shift & 0xf) - m;
            }
        }
    }

    /** As {@link #q4Super}, with the fifth bits of value j of all sub-blocks in byte j before the nibbles. */
    static void q5Super(byte[] source, int from, float[] target, int to) {
        int scales = from + SUPER_SCALES;
        int high = from + SUPER_HIGH_BITS;
        int nibbles = high + 32;
        for (int block = 0; block < 8; block++) {
            float d = half(source, from) * superScale(source, scales, block);
            float m = half(source, from + 2) * superMinimum(source, scales, block);
            int shift = 4 * (block & 1);
            int first = nibbles + 32 * (block >> 1);
            for (int j = 0; j < 32; j++) {
                int q = source[first + j] >> shift & 0xf | (source[high + j] >> block & 1) << 4;
                target[to + 32 * block + j] = d * q - m;
            }
        }
    }

    /** Sixteen sub-blocks of 16, x = (d s) (q − 32), with 8-bit s; nibbles, upper bits, s and then d, for each 128 values in turn. */
    static void q6Super(byte[] source, int from, float[] target, int to) {
        float d = half(source, from + 208);
        for (int quarter = 0; quarter < 8; quarter++) {
            int nibbles = from + 64 * (quarter >> 2) + 32 * (quarter & 1);
            int nibbleShift = 4 * (quarter >> 1 & 1);
            int high = from + 128 + 32 * (quarter >> 2);
            int highShift = 2 * (quarter & 3);
            int scales = from + 192 + 2 * quarter;
            for (int j = 0; j < 32; j++) {
                int q = source[nibbles + j] >> nibbleShift & 0xf | (source[high + j] >> highShift & 3) << 4;
                target[to + 32 * quarter + j] = d * source[scales + (j >> 4)] * (q - 32);
            }
        }
    }

    /** The 6-bit scale of a sub-block out of the 12 bytes that pack eight scales and eight minima. */
    private static int superScale(byte[] source, int scales, int block) {
        if (block < 4) {
            return source[scales + block] & 63;
        }
        return source[scales + block + 4] & 0xf | (source[scales + block - 4] >> 6 & 3) << 4;
    }

    private static int superMinimum(byte[] source, int scales, int block) {
        if (block < 4) {
            return source[scales + block + 4] & 63;
        }
        return source[scales + block + 4] >> 4 & 0xf | (source[scales + block] >> 6 & 3) << 4;
    }

    private static float half(byte[] source, int from) {
        return HalfPrecision.halfToFloat(int16(source, from));
    }

    private static short int16(byte[] source, int from) {
        return (short) (source[from] & 0xff | source[from + 1] << 8);
    }

    private static int int32(byte[] source, int from) {
        return int16(source, from) & 0xffff | int16(source, from + 2) << 16;
    }
}
