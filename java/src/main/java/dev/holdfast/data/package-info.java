/**
 * Training text: rows become examples, examples become token ids with a response mask, and those become padded batches.
 *
 * <p>Flows in: JSON lines, tokenizer files of a model folder, the metadata of a GGUF file as a plain map. Flows out: {@link
 * dev.holdfast.data.Batch} tensors, and text from token ids. Imports only {@code config}, {@code tensor} and {@code error}; it must not
 * know models, weights or runtimes.
 */
package dev.holdfast.data;
