/**
 * Benchmarks of what a user waits for: a training step, the matrix product that bounds it, and the loss alone beside its peers.
 *
 * <p>Flows in: an artifact and a batch, or the shape of a loss. Flows out: seconds, bytes and operators, as JSON and a picture. Imports
 * {@code train}, {@code loss}, {@code runtime} and what is below them; only the commands import it. Peers that are Python programs run in
 * processes of their own.
 */
package dev.holdfast.bench;
