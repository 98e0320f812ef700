/**
 * Files and folders that appear whole or not at all, and the digests by which they are known again.
 *
 * <p>Everything that Holdfast leaves on a disk goes through here, so that a killed process or a full disk never leaves half of it.
 * Imports only {@code error}.
 */
package dev.holdfast.files;
