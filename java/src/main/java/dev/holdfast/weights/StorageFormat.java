package dev.holdfast.weights;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The ways in which real numbers are stored: blocks of so many values in so many bytes.
 *
 * <p>Source: ggml, {@code ggml-common.h} (block layouts) and {@code ggml-quants.c} ({@code dequantize_row_*}).
 */
enum StorageFormat {
    F32(0, 1, 4, BlockDecoders::single),
    F16(1, 1, 2, BlockDecoders::half),
    BF16(30, 1, 2, BlockDecoders::bfloat),
    Q4_0(2, 32, 18, BlockDecoders::q4Symmetric),
    Q4_1(3, 32, 20, BlockDecoders::q4Affine),
    Q5_0(6, 32, 22, BlockDecoders::q5Symmetric),
    Q5_1(7, 32, 24, BlockDecoders::q5Affine),
    Q8_0(8, 32, 34, BlockDecoders::q8Symmetric),
    Q4_K(12, 256, 144, BlockDecoders::q4Super),
    Q5_K(13, 256, 176, BlockDecoders::q5Super),
    Q6_K(14, 256, 210, BlockDecoders::q6Super);

    /** Turns one block into its values. */
    interface Decoder {
        void decode(byte[] source, int sourceOffset, float[] target, int targetOffset);
    }

    private final int ggmlCode;
    private final int blockLength;
    private final int blockBytes;
    private final Decoder decoder;

    StorageFormat(int ggmlCode, int blockLength, int blockBytes, Decoder decoder) {
        this.ggmlCode = ggmlCode;
        this.blockLength = blockLength;
        this.blockBytes = blockBytes;
        this.decoder = decoder;
    }

    static Optional<StorageFormat> ofGgmlCode(int code) {
        return Arrays.stream(values()).filter(format -> format.ggmlCode == code).findFirst();
    }

    /** All names, for messages. */
    static String supported() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }

    /** Values of one block. */
    int blockLength() {
        return blockLength;
    }

    /** Bytes of one block. */
    int blockBytes() {
        return blockBytes;
    }

    /** Bytes of so many values, a multiple of the block's length. */
    long sizeBytes(long elementCount) {
        return Math.multiplyExact(elementCount / blockLength, (long) blockBytes);
    }

    void decode(byte[] source, float[] target, int blockCount) {
        for (int block = 0; block < blockCount; block++) {
            decoder.decode(source, block * blockBytes, target, block * blockLength);
        }
    }
}
