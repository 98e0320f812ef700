/**
 * ONNX Runtime behind a small interface: boot, settings, training and inference sessions, profiles. The only package that sees
 * {@code ai.onnxruntime}.
 *
 * <p>Flows in: model files, checkpoints and {@link dev.holdfast.tensor.HostTensor}s by name. Flows out: host tensors, checkpoints,
 * {@link dev.holdfast.runtime.RuntimeFacts}. Must not import the training, evaluation, exporting or command packages.
 */
package dev.holdfast.runtime;
