package dev.holdfast.onnx;

/** Which operators a graph computes with. */
public enum Kernels {
    /** Only operators that ONNX Runtime itself brings. */
    STOCK,
    /**
     * Also those of Holdfast's native library, where they are faster or deterministic: they use every thread, give the same bits whatever
     * the number of threads, and add to what is already there.
     */
    HOLDFAST
}
