package dev.holdfast.train;

/**
 * How far the building of a cache is.
 *
 * @param model {@code reference} or {@code snapshot}
 * @param rows whose hidden states are on the disk
 * @param allRows that are going to be
 */
public record CacheProgress(String model, int rows, int allRows) {}
