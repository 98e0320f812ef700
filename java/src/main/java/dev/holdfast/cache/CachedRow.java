package dev.holdfast.cache;

/**
 * A row whose hidden states a cache holds.
 *
 * @param row its number in the data, from 0
 * @param responseTokens how many hidden states it has, at least 1
 */
public record CachedRow(long row, int responseTokens) {}
