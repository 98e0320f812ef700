/**
 * Decoder families as ONNX graphs.
 *
 * <p>Flows in: a Hugging Face configuration. Flows out: which parameters the model has, and the operators that compute its hidden
 * states and logits, appended to a graph. Imports {@code onnx}, {@code tensor} and {@code error}; knows nothing of files,
 * gradients or training.
 */
package dev.holdfast.model;
