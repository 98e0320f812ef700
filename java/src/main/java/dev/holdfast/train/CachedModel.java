package dev.holdfast.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A model whose hidden states on the training rows are on the disk.
 *
 * @param model {@code reference} or {@code snapshot}
 * @param file the cache
 * @param rows whose hidden states it holds
 * @param sizeBytes of the file
 * @param relativeError ‖stored − exact‖ / ‖exact‖ over all hidden states; 0 where they are stored as they are
 * @param seconds that it took to compute what was missing; none where the cache was there
 */
public record CachedModel(
        String model, Path file, int rows, long sizeBytes, double relativeError, Optional<Double> seconds) {}
