/**
 * Element types, shapes and host tensors: the values that every other package exchanges.
 *
 * <p>Flows in: plain numbers and byte buffers. Flows out: {@link dev.holdfast.tensor.HostTensor}. Imports nothing of Holdfast.
 */
package dev.holdfast.tensor;
