/**
 * Weights on disk: Hugging Face folders, safetensors, GGUF, ONNX Runtime training checkpoints, adapters of PEFT and of ONNX Runtime, and numpy
 * archives.
 *
 * <p>Flows in: paths. Flows out: a model's configuration in the vocabulary of Hugging Face's config.json and
 * {@link dev.holdfast.tensor.HostTensor}s, one at a time. Whatever a file holds, reading it either succeeds or throws a
 * {@link dev.holdfast.error.HoldfastException}; memory stays in proportion to the file's size. Imports only {@code files},
 * {@code tensor} and {@code error} of Holdfast.
 */
package dev.holdfast.weights;
