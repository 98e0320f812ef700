/**
 * Graders of responses: each knows what one question expects, and tells what a response made of it.
 *
 * <p>Flows in: responses as text. Flows out: verdicts, which add up to shares with intervals. Imports {@code eval.igsm}, {@code
 * eval.ifeval} and {@code eval.sandbox}; knows nothing of models or files.
 */
package dev.holdfast.eval.grading;
