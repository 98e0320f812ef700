package dev.holdfast.weights;

import java.util.Arrays;
import java.util.Optional;

/** The element types that a safetensors file may have; those with a storage format can be read. */
enum SafetensorsType {
    F32(4, StorageFormat.F32),
    F16(2, StorageFormat.F16),
    BF16(2, StorageFormat.BF16),
    BOOL(1, null),
    U8(1, null),
    I8(1, null),
    F8_E5M2(1, null),
    F8_E4M3(1, null),
    F8_E8M0(1, null),
    I16(2, null),
    U16(2, null),
    I32(4, null),
    U32(4, null),
    I64(8, null),
    U64(8, null),
    F64(8, null),
    C64(8, null);

    static final String READABLE = "F32, F16, BF16";

    private final int sizeBytes;
    private final StorageFormat format;

    SafetensorsType(int sizeBytes, StorageFormat format) {
        this.sizeBytes = sizeBytes;
        this.format = format;
    }

    static Optional<SafetensorsType> ofName(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    int sizeBytes() {
        return sizeBytes;
    }

    Optional<StorageFormat> format() {
        return Optional.ofNullable(format);
    }
}
