/**
 * Reverse-mode differentiation of ONNX graphs: one rule per operator, one walk.
 *
 * <p>Flows in: a {@link dev.holdfast.onnx.Graph} and the gradients of some of its values. Flows out: the same graph with the nodes
 * of the backward pass appended, and the gradients of the values that were asked for. Imports only {@code onnx}, {@code tensor} and
 * {@code error} of Holdfast; runs nothing.
 *
 * <p>Reading order: {@link dev.holdfast.gradient.Gradients}, {@code DerivativeTable}, {@code Backpropagation}, one of the rules.
 */
package dev.holdfast.gradient;
