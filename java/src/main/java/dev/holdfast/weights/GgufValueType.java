package dev.holdfast.weights;

/** The types of metadata values in a GGUF file, in the order of their codes. */
enum GgufValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final int MAXIMUM_STRING_BYTES = 1 << 26;
    private static final GgufValueType[] BY_CODE = values();

    private final int minimumBytes;

    GgufValueType(int minimumBytes) {
        this.minimumBytes = minimumBytes;
    }

    static GgufValueType read(ByteCursor cursor) {
        long start = cursor.position();
        int code = cursor.readInt();
        if (code < 0 || code >= BY_CODE.length) {
            throw cursor.malformed(
                    start, "metadata value type: expected 0 to 12, got " + Integer.toUnsignedString(code));
        }
        return BY_CODE[code];
    }

    /** The least that a value of this type takes in a file: an empty string or array still has its length. */
    int minimumBytes() {
        return minimumBytes;
    }

    static String readString(ByteCursor cursor) {
        return cursor.readString(MAXIMUM_STRING_BYTES);
    }

    /** A value other than an array. */
    Object readScalar(ByteCursor cursor) {
        return switch (this) {
            case UINT8 -> (long) (cursor.readByte() & 0xff);
            case INT8 -> (long) cursor.readByte();
            case UINT16 -> (long) (cursor.readShort() & 0xffff);
            case INT16 -> (long) cursor.readShort();
            case UINT32 -> cursor.readInt() & 0xffffffffL;
            case INT32 -> (long) cursor.readInt();
            case UINT64, INT64 -> cursor.readLong();
            case FLOAT32 -> (double) cursor.readFloat();
            case FLOAT64 -> cursor.readDouble();
            case BOOL -> readBoolean(cursor);
            case STRING -> readString(cursor);
            case ARRAY -> throw new IllegalStateException("an array is not a scalar");
        };
    }

    private static boolean readBoolean(ByteCursor cursor) {
        long start = cursor.position();
        byte value = cursor.readByte();
        if (value != 0 && value != 1) {
            throw cursor.malformed(start, "boolean: expected 0 or 1, got " + (value & 0xff));
        }
        return value == 1;
    }
}
