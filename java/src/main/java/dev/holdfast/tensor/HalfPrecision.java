package dev.holdfast.tensor;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Conversion between float and the two 16-bit formats, bit for bit as IEEE 754 and bfloat16 have them. */
public final class HalfPrecision {
    private HalfPrecision() {}

    /** The float with the value of an IEEE 754 binary16 number; exact. */
    public static float halfToFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >>> 10) & 0x1f;
        int mantissa = bits & 0x3ff;
        if (exponent == 0x1f) {
            return Float.intBitsToFloat(sign | 0x7f800000 | mantissa << 13);
        }
        if (exponent == 0) {
            float magnitude = mantissa * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        return Float.intBitsToFloat(sign | (exponent + 112) << 23 | mantissa << 13);
    }

    /** The float with the value of a bfloat16 number; exact. */
    public static float bfloatToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The nearest bfloat16 number, ties to even; NaN stays NaN. */
    public static short floatToBfloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** The nearest IEEE 754 binary16 number, ties to even; values beyond 65,504 become infinite, NaN stays NaN. */
    public static short floatToHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude > 0x7f800000) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 0x477ff000) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x38800000) {
            // Adding 0.5 aligns the subnormal's last place with the last place of the sum, so the addition rounds.
            int rounded = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f);
            return (short) (sign | rounded - 0x3f000000);
        }
        int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
        return (short) (sign | rounded - 0x38000000 >>> 13);
    }

    /** Whether {@link #toFloat} takes tensors of a type. */
    public static boolean hasFloatValues(ElementType type) {
        return type == ElementType.FLOAT || type == ElementType.FLOAT16 || type == ElementType.BFLOAT16;
    }

    /** A FLOAT tensor with the values of a FLOAT, FLOAT16 or BFLOAT16 tensor; a FLOAT tensor is returned as it is. */
    public static HostTensor toFloat(HostTensor tensor) {
        return switch (tensor.elementType()) {
            case FLOAT -> tensor;
            case FLOAT16 -> convert(tensor, HalfPrecision::halfToFloat);
            case BFLOAT16 -> convert(tensor, HalfPrecision::bfloatToFloat);
            default -> throw new IllegalArgumentException(
                    "tensor " + tensor + ": expected FLOAT, FLOAT16 or BFLOAT16, got " + tensor.elementType());
        };
    }

    /** A BFLOAT16 tensor with the nearest values to those of a FLOAT tensor. */
    public static HostTensor toBfloat(HostTensor tensor) {
        HostTensor result = HostTensor.allocate(ElementType.BFLOAT16, tensor.shape());
        FloatBuffer source = tensor.floats();
        ShortBuffer target = result.bytes().asShortBuffer();
        while (source.hasRemaining()) {
            target.put(floatToBfloat(source.get()));
        }
        return result;
    }

    private interface ToFloat {
        float apply(short bits);
    }

    private static HostTensor convert(HostTensor tensor, ToFloat conversion) {
        HostTensor result = HostTensor.allocate(ElementType.FLOAT, tensor.shape());
        ShortBuffer source = tensor.bytes().asShortBuffer();
        FloatBuffer target = result.floats();
        while (source.hasRemaining()) {
            target.put(conversion.apply(source.get()));
        }
        return result;
    }
}
