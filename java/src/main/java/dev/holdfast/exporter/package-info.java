/**
 * From a model's weights to an artifact directory, and from a trained checkpoint to a folder that deployments load.
 *
 * <p>Flows in: a Hugging Face folder, a GGUF file, an adapter of PEFT, or a checkpoint. Flows out: an artifact directory or a deployable folder. Imports
 * {@code model}, {@code gradient}, {@code onnx}, {@code weights}, {@code data} (the tokenizer's files), {@code artifact}; never starts
 * ONNX Runtime.
 */
package dev.holdfast.exporter;
