package dev.holdfast.tensor;

/** The element types of tensors, with their ONNX {@code TensorProto.DataType} codes. */
public enum ElementType {
    FLOAT(1, 4),
    UINT8(2, 1),
    INT8(3, 1),
    UINT16(4, 2),
    INT16(5, 2),
    INT32(6, 4),
    INT64(7, 8),
    BOOL(9, 1),
    FLOAT16(10, 2),
    DOUBLE(11, 8),
    UINT32(12, 4),
    UINT64(13, 8),
    BFLOAT16(16, 2);

    private final int onnxCode;
    private final int sizeBytes;

    ElementType(int onnxCode, int sizeBytes) {
        this.onnxCode = onnxCode;
        this.sizeBytes = sizeBytes;
    }

    /** The code of this type in ONNX files and in ONNX Runtime checkpoints. */
    public int onnxCode() {
        return onnxCode;
    }

    /** Bytes of one element. */
    public int sizeBytes() {
        return sizeBytes;
    }

    /** Whether values of this type are real numbers. */
    public boolean isFloatingPoint() {
        return this == FLOAT || this == FLOAT16 || this == BFLOAT16 || this == DOUBLE;
    }

    /**
     * The type with this ONNX code.
     *
     * @throws IllegalArgumentException if no supported type has the code
     */
    public static ElementType ofOnnxCode(int code) {
        for (ElementType type : values()) {
            if (type.onnxCode == code) {
                return type;
            }
        }
        throw new IllegalArgumentException("element type: expected an ONNX tensor type code, got " + code);
    }
}
