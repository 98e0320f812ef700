/**
 * Benchmarks of what a user waits for: a training step, and the matrix product that bounds it.
 *
 * <p>Flows in: an artifact and a batch. Flows out: seconds, bytes and operators. Imports {@code train}, {@code runtime} and what is below
 * them; only the commands import it. Whoever compares measures each implementation in a process of its own.
 */
package dev.holdfast.bench;
