/**
 * What models say and how likely they find what they should say: generation and scores.
 *
 * <p>Flows in: packaged models, artifacts, checkpoints, rows of data. Flows out: text, token ids, log-probabilities. Imports
 * {@code runtime}, {@code data}, {@code artifact}, {@code onnx}, {@code weights}, {@code tensor} and {@code error}; knows nothing of
 * training or exporting.
 */
package dev.holdfast.eval;
