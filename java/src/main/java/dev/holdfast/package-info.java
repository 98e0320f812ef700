/**
 * Holdfast embedded in a service: export a model, fine-tune it, keep it from forgetting, package it.
 *
 * <p>Flows in: models, rows, settings. Flows out: artifact directories, run directories, deployable folders. Nothing here writes to the
 * console or ends the process; progress goes to listeners, failures are {@link dev.holdfast.error.HoldfastException}s.
 */
package dev.holdfast;
