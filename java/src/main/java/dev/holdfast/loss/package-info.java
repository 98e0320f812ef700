/**
 * The anchor loss: distillation towards a mixture of snapshot and reference, with its gradient and its statistics.
 *
 * <p>Flows in: logits, or hidden states and LM heads ({@link dev.holdfast.loss.LinearAnchorLoss}); labels, weights and mixing weights; as
 * host tensors or by address. Flows out: losses, gradients and statistics per token. One interface, four implementations that pass one
 * suite of tests: plain Java, plain native, vectorised native, CUDA; and the native ones on memory by address. Imports the native binding,
 * tensors and the names of divergences, nothing of models or of training.
 *
 * <p>Source: Wang, Sun, Wu, Wang, "Stabilizing LLM Supervised Fine-Tuning via Explicit Distributional Control", arXiv 2605.04468.
 */
package dev.holdfast.loss;
