package dev.holdfast.train;

import dev.holdfast.cache.CacheBuilder;
import dev.holdfast.cache.CacheKey;
import dev.holdfast.cache.CachedRow;
import dev.holdfast.cache.HiddenCache;
import dev.holdfast.config.CacheType;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Batcher;
import dev.holdfast.data.EncodedExample;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.tensor.ElementType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The cache of one model's hidden states on a job's training rows: found, or built and completed by running the model once over them.
 *
 * <p>Rows are in the file the longest first: rows of a batch are then of nearly one length, and what does not fit into memory fails at once.
 */
final class ModelCache {
    private static final long WAITING_MILLIS = 1000;

    private final PreparedJob job;
    private final String name;
    private final FrozenSource model;
    private final TrainingListener listener;
    private final CacheKey key;
    private final List<CachedRow> rows;
    private final Path file;

    /**
     * @param name how messages call the model
     */
    ModelCache(PreparedJob job, String name, FrozenSource model, TrainingListener listener) {
        this.job = job;
        this.name = name;
        this.model = model;
        this.listener = listener;
        this.key = key(job, model);
        this.rows = rows(job);
        this.file = file(job, key);
    }

    static CacheKey key(PreparedJob job, FrozenSource model) {
        TrainingConfig config = job.config();
        return new CacheKey(
                modelDigest(model, config.bf16()),
                job.rows().train().digest(),
                elementType(config.cacheType()),
                model.hiddenSize());
    }

    /** Rounding of operands changes the hidden states too. */
    private static String modelDigest(FrozenSource model, boolean bf16) {
        return bf16
                ? FileDigest.of((model.digest() + " bf16").getBytes(StandardCharsets.US_ASCII))
                        .sha256()
                : model.digest();
    }

    private static ElementType elementType(CacheType type) {
        return switch (type) {
            case FLOAT32 -> ElementType.FLOAT;
            case FLOAT16 -> ElementType.FLOAT16;
            case BFLOAT16 -> ElementType.BFLOAT16;
        };
    }

    static List<CachedRow> rows(PreparedJob job) {
        return job.rows().train().longestFirst().stream()
                .map(example -> new CachedRow(example.row(), example.responseTokens()))
                .toList();
    }

    static Path file(PreparedJob job, CacheKey key) {
        return job.config().cacheDir().resolve(key.fileName());
    }

    /** Bytes of the caches of the job's rows that are there, whichever models they are of. */
    static long presentBytes(PreparedJob job) {
        Path folder = job.config().cacheDir();
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        String end = key(job, job.base()).fileNameEnd();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(end))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException e) {
            throw FileAccessException.reading(folder, e);
        }
    }

    /**
     * The cache, complete.
     *
     * @param stopRequested asked before every block
     * @return none if it was asked to stop; what was computed stays in the file
     * @throws dev.holdfast.error.HoldfastException if the file is one of another model or of other rows, or cannot be written
     */
    Optional<HiddenCache> obtain(BooleanSupplier stopRequested) {
        Optional<HiddenCache> found = HiddenCache.find(file, key, rows);
        if (found.isPresent()) {
            report(found.get(), Optional.empty());
            return found;
        }
        long start = System.nanoTime();
        if (!build(stopRequested)) {
            return Optional.empty();
        }
        Optional<HiddenCache> built = HiddenCache.find(file, key, rows);
        built.ifPresent(cache -> report(cache, Optional.of((System.nanoTime() - start) / 1e9)));
        return built;
    }

    private void report(HiddenCache cache, Optional<Double> seconds) {
        listener.cached(
                new CachedModel(name, cache.file(), rows.size(), cache.sizeBytes(), cache.relativeError(), seconds));
    }

    private boolean build(BooleanSupplier stopRequested) {
        listener.began("caching hidden states of the " + name + " on " + rows.size() + " rows");
        while (!stopRequested.getAsBoolean()) {
            Optional<CacheBuilder> builder = CacheBuilder.open(file, key, rows);
            if (builder.isPresent()) {
                try (CacheBuilder owned = builder.get()) {
                    return complete(owned, stopRequested);
                }
            }
            awaitOtherRun();
        }
        return false;
    }

    private void awaitOtherRun() {
        listener.began("waiting for another run, which builds " + file);
        try {
            Thread.sleep(WAITING_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw FileAccessException.writing(
                    file, new IOException("interrupted while another run was building it", e));
        }
    }

    private boolean complete(CacheBuilder builder, BooleanSupplier stopRequested) {
        builder.fault()
                .ifPresent(fault -> listener.warned(file + ": " + fault + ": kept the first " + builder.wholeRows()
                        + " rows, and computing the rest"));
        int done = builder.wholeRows();
        if (done == rows.size()) {
            return true;
        }
        List<EncodedExample> missing = job.rows().train().longestFirst().subList(done, rows.size());
        Batcher batches = job.rows().train().oneByOne(missing);
        try (FrozenModel opened = model.open(new FrozenHeads(), job.sessionSettings())) {
            for (int i = 0; i < batches.globalBatchesPerEpoch(); i++) {
                if (stopRequested.getAsBoolean()) {
                    return false;
                }
                Batch batch = batches.globalBatch(0, i).get(0);
                builder.append(batch.rows().size(), opened.hidden(batch));
                listener.caching(new CacheProgress(name, builder.wholeRows(), rows.size()));
            }
        }
        return true;
    }
}
