/**
 * Decoder families as ONNX graphs.
 *
 * <p>Flows in: a Hugging Face configuration. Flows out: which parameters the model has, and the operators that compute its hidden
 * states and logits, appended to a graph; low-rank adapters on their linear layers. Imports {@code onnx}, {@code tensor}, {@code error} and
 * of {@code weights} the settings of adapters; knows nothing of files, gradients or training.
 */
package dev.holdfast.model;
