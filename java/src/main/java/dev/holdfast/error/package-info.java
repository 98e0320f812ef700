/**
 * The failures that Holdfast reports, each with one message of the form {@code <where>: <what>: expected ..., got ...; <what to do>}.
 *
 * <p>A caller's mistake in Java is an {@link IllegalArgumentException}, a call at the wrong moment an
 * {@link IllegalStateException}; the types here are for what comes from outside: files, models, configurations, numbers, devices.
 * Imports nothing of Holdfast.
 */
package dev.holdfast.error;
