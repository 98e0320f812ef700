package dev.holdfast.gradient;

/** Which operators the backward pass may be made of. */
public enum GradientOperators {
    /** Only operators that ONNX Runtime itself brings. */
    STOCK,
    /**
     * Also those of Holdfast's native library, {@code dev.holdfast:RmsNormGrad} and {@code dev.holdfast:EmbeddingGrad}: they use every
     * thread, give the same bits whatever the number of threads, and add to a gradient that is already there.
     */
    HOLDFAST
}
