/**
 * Training: steps, schedules, metrics and checkpoints over {@link dev.holdfast.runtime.TrainingSession}.
 *
 * <p>Flows in: artifact directories, batches, configuration. Flows out: run folders with metrics and checkpoints. Must not import the
 * exporting or command packages.
 */
package dev.holdfast.train;
