package dev.holdfast.train;

import dev.holdfast.cache.CacheKey;
import dev.holdfast.cache.CachedRow;
import dev.holdfast.cache.HiddenCache;
import dev.holdfast.config.CacheType;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.config.TrainingSteps;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Which hidden states an anchored run keeps on disk, and how much room they take.
 *
 * @param folder where the caches are, shared by runs
 * @param type how hidden states are stored
 * @param referenceBytes the cache of the reference; 0 if it runs for every batch
 * @param snapshotBytes one cache of a snapshot; 0 if it runs for every batch, or the step's own logits stand for it
 * @param snapshots how many of these there are at once: the base's, which other runs can use, and that of the iteration under way
 */
public record CachePlan(Path folder, CacheType type, long referenceBytes, long snapshotBytes, int snapshots) {
    private static final double BYTES_PER_GIB = 1L << 30;

    /** What a job keeps; nothing where it is supervised. */
    static CachePlan of(PreparedJob job) {
        TrainingConfig config = job.config();
        if (config.job() != Job.ANCHOR) {
            return new CachePlan(Path.of(""), CacheType.FLOAT32, 0, 0, 0);
        }
        TrainingSteps steps = job.steps();
        boolean reference = isCached(config, steps.total(), steps.perEpoch());
        boolean snapshot = config.snapshot() == SnapshotMode.MODEL
                && isCached(config, Math.min(steps.total(), steps.perIteration()), steps.perEpoch());
        return new CachePlan(
                config.cacheDir(),
                config.cacheType(),
                reference ? sizeBytes(job, ModelCache.key(job, job.reference().orElseThrow())) : 0,
                snapshot ? sizeBytes(job, ModelCache.key(job, job.base())) : 0,
                snapshot ? Math.min(2, steps.iterations()) : 0);
    }

    /** Rounding must not depend on how long a run is going to be: with half types whatever can be cached is. */
    private static boolean isCached(TrainingConfig config, int visits, int perEpoch) {
        return switch (config.cache()) {
            case ALWAYS -> true;
            case NEVER -> false;
            case AUTO -> config.cacheType() != CacheType.FLOAT32 || visits > perEpoch;
        };
    }

    private static long sizeBytes(PreparedJob job, CacheKey key) {
        List<CachedRow> rows = ModelCache.rows(job);
        return HiddenCache.sizeBytes(key, rows);
    }

    /** Whether the reference's hidden states are kept. */
    public boolean cachesReference() {
        return referenceBytes > 0;
    }

    /** Whether the snapshots' hidden states are kept. */
    public boolean cachesSnapshots() {
        return snapshotBytes > 0;
    }

    /** Disk that all caches of the run take at once. */
    public long diskBytes() {
        return referenceBytes + snapshots * snapshotBytes;
    }

    /**
     * Makes sure that the caches fit.
     *
     * @throws InvalidConfigurationException if they exceed {@code cache_limit_gib}
     * @throws InvalidInputException if the disk has less room than they still need
     */
    void requireRoom(PreparedJob job) {
        if (diskBytes() == 0) {
            return;
        }
        double limitGib = job.config().cacheLimitGib();
        if (diskBytes() > limitGib * BYTES_PER_GIB) {
            throw new InvalidConfigurationException(List.of(String.format(
                    Locale.ROOT,
                    "cache_limit_gib: expected at least %.3f, which the caches of this run take, got %s; %s",
                    diskBytes() / BYTES_PER_GIB,
                    ConfigKeys.CACHE_LIMIT_GIB.type().format(limitGib),
                    "raise it, choose cache_type float16 or bfloat16, or cache never")));
        }
        requireFree(diskBytes() - ModelCache.presentBytes(job));
    }

    private void requireFree(long missingBytes) {
        long usableBytes = usableBytes();
        if (missingBytes > usableBytes) {
            throw new InvalidInputException(String.format(
                    Locale.ROOT,
                    "%s: caches: expected room for %.3f GiB more, got %.3f GiB; %s",
                    folder,
                    missingBytes / BYTES_PER_GIB,
                    usableBytes / BYTES_PER_GIB,
                    "free some, name another cache_dir, or choose cache never"));
        }
    }

    private long usableBytes() {
        Path existing = folder.toAbsolutePath().normalize();
        while (!Files.exists(existing)) {
            existing = existing.getParent();
        }
        try {
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException e) {
            throw FileAccessException.reading(existing, e);
        }
    }
}
