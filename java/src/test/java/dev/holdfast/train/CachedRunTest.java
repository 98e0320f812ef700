package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.CacheMode;
import dev.holdfast.config.CacheType;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Interpolation;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Anchored runs whose snapshot and reference have their hidden states on the disk. */
class CachedRunTest {
    /** Half types round by 2⁻¹² and 2⁻⁹ of a number on average about; the loss, a KL below 1, moves by less than a hundred times that. */
    private static final double HALF_LOSS_TOLERANCE = 0.05;

    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    /** Two iterations of two epochs, each in an order of its own. */
    private TrainingConfig anchor(String name, CacheMode mode) {
        return runs.anchor(folder.resolve(name))
                .with(ConfigKeys.INNER_EPOCHS, 2L)
                .with(ConfigKeys.OUTER_ITERATIONS, 2L)
                .with(ConfigKeys.CACHE, mode)
                .with(ConfigKeys.CACHE_DIR, folder.resolve("cache"));
    }

    private static final class Heard implements TrainingListener {
        final List<CachedModel> cached = new ArrayList<>();
        final List<String> warnings = new ArrayList<>();

        @Override
        public void cached(CachedModel model) {
            cached.add(model);
        }

        @Override
        public void warned(String problem) {
            warnings.add(problem);
        }

        List<String> models() {
            return cached.stream().map(CachedModel::model).toList();
        }
    }

    private static Heard run(TrainingConfig config) {
        Heard heard = new Heard();
        Trainer.run(
                config, Examples.jsonLines(config.dataTrain()), Optional.empty(), heard, () -> false, TinyRuns.SUPPORT);
        return heard;
    }

    private List<Path> caches() {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void assertSameRun(Path actual, Path expected, String checkpoint) {
        TinyRuns.assertSameFiles(actual.resolve(checkpoint), expected.resolve(checkpoint));
        TinyRuns.assertSameMetrics(actual, expected);
        assertThat(actual.resolve("ledger.jsonl")).hasSameBinaryContentAs(expected.resolve("ledger.jsonl"));
    }

    @ParameterizedTest
    @CsvSource({"MODEL, LOGIT", "MODEL, PROBABILITY", "CURRENT, LOGIT"})
    void aCachedRunHasTheBitsOfTheExactOne(SnapshotMode snapshot, Interpolation interpolation) {
        for (CacheMode mode : List.of(CacheMode.NEVER, CacheMode.ALWAYS)) {
            run(anchor(mode.name(), mode)
                    .with(ConfigKeys.SNAPSHOT, snapshot)
                    .with(ConfigKeys.INTERPOLATION, interpolation));
        }
        assertSameRun(folder.resolve("ALWAYS"), folder.resolve("NEVER"), "checkpoint-24");
    }

    @Test
    void aCachedRunOfAdaptersHasTheBitsOfTheExactOne() {
        for (CacheMode mode : List.of(CacheMode.NEVER, CacheMode.ALWAYS)) {
            run(anchor(mode.name(), mode).with(ConfigKeys.LORA_R, 4L));
        }
        assertSameRun(folder.resolve("ALWAYS"), folder.resolve("NEVER"), "checkpoint-24");
    }

    @Test
    void eachModelIsCachedOnceAndTheSnapshotsOfCheckpointsAreRemoved() {
        Heard heard = run(anchor("run", CacheMode.AUTO));
        assertThat(heard.models()).containsExactly("reference", "snapshot", "snapshot");
        assertThat(heard.cached).allSatisfy(model -> {
            assertThat(model.seconds()).isPresent();
            assertThat(model.rows()).isEqualTo(TinyRuns.ROWS);
        });
        assertThat(caches())
                .containsExactlyInAnyOrder(
                        heard.cached.get(0).file(), heard.cached.get(1).file());
    }

    @Test
    void anotherRunFindsReferenceAndBase() {
        run(anchor("first", CacheMode.AUTO));
        Heard second = run(anchor("second", CacheMode.AUTO).with(ConfigKeys.ALPHA, 0.3));
        assertThat(second.models()).containsExactly("reference", "snapshot", "snapshot");
        assertThat(second.cached.stream().map(model -> model.seconds().isPresent()))
                .containsExactly(false, false, true);
    }

    @Test
    void nothingIsCachedThatIsVisitedOnce() {
        TrainingConfig once = anchor("once", CacheMode.AUTO).with(ConfigKeys.INNER_EPOCHS, 1L);
        assertThat(run(once).models()).containsExactly("reference");
        TrainingConfig epoch = anchor("epoch", CacheMode.AUTO).with(ConfigKeys.MAX_STEPS, 6L);
        assertThat(run(epoch).models()).isEmpty();
    }

    @Test
    void whatACacheTakesIsKnownBeforehand() throws IOException {
        TrainingConfig config = anchor("run", CacheMode.AUTO);
        CachePlan plan = Trainer.plan(config, Examples.jsonLines(config.dataTrain()), TinyRuns.SUPPORT)
                .caches();
        assertThat(plan.snapshots()).isEqualTo(2);
        run(config);
        long blocks = 6;
        for (Path file : caches()) {
            // 32 bytes before each block.
            assertThat(Files.size(file)).isEqualTo(plan.referenceBytes() + 32 * blocks);
        }
        assertThat(plan.diskBytes()).isEqualTo(3 * plan.referenceBytes());
    }

    @Test
    void aRunWhoseCachesExceedTheLimitDoesNotBegin() {
        TrainingConfig config = anchor("run", CacheMode.AUTO).with(ConfigKeys.CACHE_LIMIT_GIB, 1e-5);
        assertThatThrownBy(() -> run(config))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("cache_limit_gib: expected at least 0.000");
        assertThat(config.out()).doesNotExist();
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "BFLOAT16"})
    void halfTypesTellTheirErrorAndHardlyMoveTheLoss(CacheType type) {
        run(anchor("exact", CacheMode.NEVER));
        Heard half = run(anchor("half", CacheMode.AUTO).with(ConfigKeys.CACHE_TYPE, type));
        double unit = type == CacheType.FLOAT16 ? 0x1p-11 : 0x1p-8;
        assertThat(half.cached).allSatisfy(model -> assertThat(model.relativeError())
                .as("at most half a unit in the last place of every number, and on average about half of that")
                .isBetween(unit / 10, unit / 2));
        double[] losses = TinyRuns.column(folder.resolve("half"), "loss");
        double[] exact = TinyRuns.column(folder.resolve("exact"), "loss");
        assertThat(losses).isNotEqualTo(exact);
        for (int step = 0; step < exact.length; step++) {
            assertThat(losses[step]).isCloseTo(exact[step], within(HALF_LOSS_TOLERANCE * exact[0] + 1e-5));
        }
    }

    @Test
    void stoppingWhileACacheIsBuiltKeepsWhatWasComputed() {
        TrainingConfig config = anchor("run", CacheMode.AUTO);
        List<CacheProgress> progress = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void caching(CacheProgress cache) {
                progress.add(cache);
            }
        };
        TrainingOutcome stopped = Trainer.run(
                config, Examples.jsonLines(config.dataTrain()), Optional.empty(), listener, () -> progress.size() >= 2);
        assertThat(stopped.finished()).isFalse();
        assertThat(stopped.step()).isZero();
        Trainer.run(
                config.with(ConfigKeys.RESUME, true),
                Examples.jsonLines(config.dataTrain()),
                Optional.empty(),
                listener,
                () -> false);
        assertThat(progress.get(2).rows()).isEqualTo(12);
        run(anchor("whole", CacheMode.NEVER));
        assertSameRun(config.out(), folder.resolve("whole"), "checkpoint-24");
    }

    @ParameterizedTest
    @CsvSource({"3", "14"})
    void aCachedRunIsResumedBitForBit(int step) {
        TrainingConfig config = anchor("broken", CacheMode.AUTO).with(ConfigKeys.SAVE_STEPS, 5L);
        TinyRuns.dieAfter(step, config);
        run(config.with(ConfigKeys.RESUME, true));
        run(anchor("whole", CacheMode.NEVER).with(ConfigKeys.SAVE_STEPS, 5L));
        assertSameRun(config.out(), folder.resolve("whole"), "checkpoint-24");
    }

    @Test
    void aTruncatedCacheIsCompletedWithAWarning() throws IOException {
        Path file = run(anchor("first", CacheMode.AUTO)).cached.get(0).file();
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        Heard second = run(anchor("second", CacheMode.AUTO));
        assertThat(second.warnings).singleElement().asString().contains("kept the first 20 rows");
        assertThat(Files.readAllBytes(file)).isEqualTo(whole);
        TinyRuns.assertSameMetrics(folder.resolve("second"), folder.resolve("first"));
    }

    @Test
    void aCacheOfAnotherModelUnderTheNameIsRefused() throws IOException {
        Heard first = run(anchor("first", CacheMode.AUTO));
        Path reference = first.cached.get(0).file();
        Path base = first.cached.get(1).file();
        Files.copy(base, reference, StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> run(anchor("second", CacheMode.AUTO)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(reference + ": cache: model: SHA-256: expected ");
    }

    @Test
    void otherRowsAndAnotherChatTemplateHaveCachesOfTheirOwn() {
        run(anchor("first", CacheMode.AUTO));
        Heard other = run(anchor("second", CacheMode.AUTO).with(ConfigKeys.APPEND_EOS, false));
        assertThat(other.cached).allSatisfy(model -> assertThat(model.seconds()).isPresent());
        assertThat(caches()).hasSize(4);
    }

    @Test
    @Timeout(300)
    void aProcessThatIsKilledWhileItBuildsACacheLosesOneBlockAtMost() throws IOException, InterruptedException {
        TrainingConfig config = anchor("killed", CacheMode.AUTO)
                .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 1L)
                .with(ConfigKeys.MAX_LENGTH, 64L)
                .with(ConfigKeys.MAX_STEPS, 30L);
        for (int kill = 0; kill < 2; kill++) {
            Process process = KilledRunTest.resume(config);
            awaitBytes(process, 3000 * (1 + kill));
            process.destroyForcibly().waitFor();
        }
        Process last = KilledRunTest.resume(config);
        assertThat(last.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(last.exitValue()).isZero();
        run(anchor("whole", CacheMode.NEVER)
                .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 1L)
                .with(ConfigKeys.MAX_LENGTH, 64L)
                .with(ConfigKeys.MAX_STEPS, 30L));
        assertSameRun(config.out(), folder.resolve("whole"), "checkpoint-30");
    }

    private void awaitBytes(Process process, long count) throws IOException, InterruptedException {
        while (process.isAlive() && cachedBytes() < count) {
            Thread.sleep(1);
        }
    }

    private long cachedBytes() {
        Path cache = folder.resolve("cache");
        return Files.isDirectory(cache)
                ? caches().stream().mapToLong(file -> file.toFile().length()).sum()
                : 0;
    }
}
