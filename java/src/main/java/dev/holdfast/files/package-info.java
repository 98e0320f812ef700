/**
 * Files and folders that appear whole or not at all, and the digests by which they are known again.
 *
 * <p>Artifacts, checkpoints, packaged models, configuration and provenance go through here, so that a killed process or a full disk never
 * leaves half of one. Logs of a run grow a line at a time where they stand ({@code train} writes metrics and events, drops half a line when
 * it resumes, and has the disk keep the lines before it writes a checkpoint), and unpacked native libraries are put in their place by
 * {@code natives} and {@code data}, which import nothing of this. Imports only {@code error}.
 */
package dev.holdfast.files;
