package dev.holdfast.onnx;

import dev.holdfast.tensor.HostTensor;

/** Where the constant value of a graph lives: in the model file itself, or in a file beside it. */
public sealed interface Initializer {
    /**
     * A value inside the model file.
     *
     * @param tensor the value
     */
    record Inline(HostTensor tensor) implements Initializer {}

    /**
     * A value in another file, as ONNX external data.
     *
     * @param location path of the file relative to the model file's folder, with forward slashes
     * @param offset first byte
     * @param length number of bytes
     */
    record External(String location, long offset, long length) implements Initializer {}
}
