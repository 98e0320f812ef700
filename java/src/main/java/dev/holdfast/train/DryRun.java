package dev.holdfast.train;

/**
 * What one real step measured whose outcome was thrown away.
 *
 * @param loss mean over the response tokens of the global batch
 * @param gradientNorm Euclidean norm of all gradients before clipping
 * @param seconds of the step; a first one, so later ones are rather faster
 * @param cacheSeconds that all caches of the run take to build, at the rate of the step's rows
 * @param peakMemoryBytes most memory that the process has held so far; 0 where the system does not tell
 */
public record DryRun(double loss, double gradientNorm, double seconds, double cacheSeconds, long peakMemoryBytes) {}
