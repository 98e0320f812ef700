/**
 * ONNX graphs: built operator by operator with types inferred on the way, written to and read from files.
 *
 * <p>Flows in: tensors for constants. Flows out: {@link dev.holdfast.onnx.Graph} and model files. Imports {@code files},
 * {@code tensor} and {@code error} only.
 */
package dev.holdfast.onnx;
