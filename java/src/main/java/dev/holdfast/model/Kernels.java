package dev.holdfast.model;

/** Which operators a graph computes with. */
public enum Kernels {
    /** Operators that every ONNX Runtime has. */
    STOCK,
    /** Holdfast's native operators where they are faster or deterministic, stock ones elsewhere. */
    HOLDFAST
}
