/**
 * Runs Python programs that nobody has read: without network where the system can take it away, with limits of time and memory.
 *
 * <p>Flows in: programs as text. Flows out: whether they ran to their end. Imports {@code files} and {@code error}. Nothing here runs
 * unless a caller asks for it.
 */
package dev.holdfast.eval.sandbox;
