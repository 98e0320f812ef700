/**
 * Files that keep the hidden states of frozen models at the response positions of rows, so that a model runs once over rows that a run
 * visits many times.
 *
 * <p>Flows in: hidden states, block by block, and what they were made of. Flows out: hidden states of any rows as FLOAT. A file is known
 * by its content: one of another model or of other rows is refused, one that was cut short is continued from its last whole block.
 * The format: {@code onnx-artifacts/README.md}. Imports {@code tensor} and {@code error}; knows nothing of models and of
 * training.
 */
package dev.holdfast.cache;
