/**
 * Training: supervised fine-tuning and anchored distillation of an artifact, with everything a run leaves behind.
 *
 * <p>Flows in: an artifact directory, rows, a configuration. Flows out: a run directory with checkpoints, metrics and ledger, and events
 * to a listener. Imports {@code runtime}, {@code loss}, {@code data}, {@code artifact}, {@code config}, {@code weights},
 * {@code onnx}, {@code natives}, {@code files}, {@code tensor} and {@code error}; knows nothing of how artifacts are made.
 */
package dev.holdfast.train;
