package dev.holdfast.config;

/** The type in which a cache keeps hidden states. */
public enum CacheType {
    /** As they are. */
    FLOAT32,
    /** Half the disk, 11 significant bits, up to 65,504. */
    FLOAT16,
    /** Half the disk, 8 significant bits, the range of float32. */
    BFLOAT16
}
