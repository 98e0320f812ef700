package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.CacheMode;
import dev.holdfast.config.CacheType;
import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Divergence;
import dev.holdfast.config.Interpolation;
import dev.holdfast.config.ScheduleType;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TooLongRows;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.testing.TinyModel;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every key of the configuration either changes the weights that a run ends with, or must not change a bit of them.
 *
 * <p>Runs of the same settings have the same bits, so that any difference comes from the key.
 */
class EveryKeyTest {
    /** Two runs that differ in one key, and whether that must make a difference to the weights. */
    private record Change(boolean matters, TrainingConfig before, TrainingConfig after) {}

    private static final Map<ConfigKey<?>, Change> CHANGES = new LinkedHashMap<>();
    private static final Map<TrainingConfig, Path> RUNS = new HashMap<>();

    private static final AtomicInteger BEGUN = new AtomicInteger();

    @TempDir
    static Path shared;

    @BeforeAll
    static void classify() {
        classify(new TinyRuns("llama", shared));
    }

    /** Four steps of twelve rows without a warm-up, whose first step would change nothing. */
    private static TrainingConfig brief(TrainingConfig config) {
        return config.with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 12L).with(ConfigKeys.WARMUP_RATIO, 0.0);
    }

    private static void classify(TinyRuns runs) {
        TrainingConfig sft = brief(runs.sft(shared));
        TrainingConfig anchor =
                brief(runs.anchor(shared)).with(ConfigKeys.INNER_EPOCHS, 2L).with(ConfigKeys.OUTER_ITERATIONS, 1L);
        TrainingConfig oneStep = sft.with(ConfigKeys.MAX_STEPS, 1L);
        TrainingConfig cut = sft.with(ConfigKeys.MAX_LENGTH, 12L);
        TrainingConfig evaluated = sft.with(ConfigKeys.DATA_EVAL, runs.rows());
        TrainingConfig lora = sft.with(ConfigKeys.LORA_R, 3L);
        TrainingConfig jsd = anchor.with(ConfigKeys.DIVERGENCE, Divergence.JSD);

        changes(
                sft,
                ConfigKeys.ARTIFACT,
                TinyModel.export("llama3", shared.resolve("other")).path());
        changes(anchor, ConfigKeys.REFERENCE, runs.artifact().path());
        changes(sft, ConfigKeys.DATA_TRAIN, TinyModel.rows(shared.resolve("fewer.jsonl"), TinyRuns.ROWS - 1));
        changes(sft, ConfigKeys.LEARNING_RATE, 1e-3);
        changes(sft, ConfigKeys.LR_SCHEDULER_TYPE, ScheduleType.CONSTANT);
        changes(sft, ConfigKeys.WARMUP_RATIO, 0.5);
        changes(sft, ConfigKeys.WEIGHT_DECAY, 0.1);
        changes(sft, ConfigKeys.ADAM_BETA1, 0.5);
        changes(sft, ConfigKeys.ADAM_BETA2, 0.9);
        changes(sft, ConfigKeys.ADAM_EPSILON, 1e-3);
        changes(sft, ConfigKeys.MAX_GRAD_NORM, 0.01);
        changes(oneStep, ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 6L);
        changes(oneStep, ConfigKeys.GRADIENT_ACCUMULATION_STEPS, 2L);
        changes(sft, ConfigKeys.NUM_TRAIN_EPOCHS, 1L);
        changes(sft, ConfigKeys.MAX_STEPS, 3L);
        changes(sft, ConfigKeys.MAX_LENGTH, 12L);
        changes(cut, ConfigKeys.ON_TOO_LONG, TooLongRows.DROP);
        changes(sft, ConfigKeys.SHUFFLE, false);
        changes(sft, ConfigKeys.SEED, 43L);
        changes(sft, ConfigKeys.APPEND_EOS, false);
        changes(sft, ConfigKeys.BF16, true);
        changes(sft, ConfigKeys.LORA_R, 4L);
        changes(lora, ConfigKeys.LORA_ALPHA, 40.0);
        changes(lora, ConfigKeys.LORA_DROPOUT, 0.3);
        changes(lora, ConfigKeys.LORA_TARGET_MODULES, List.of("q_proj"));
        changes(lora, ConfigKeys.USE_RSLORA, true);
        changes(anchor, ConfigKeys.ALPHA, 0.9);
        changes(anchor, ConfigKeys.KL_BUDGET, 1e-3);
        changes(anchor, ConfigKeys.INTERPOLATION, Interpolation.PROBABILITY);
        changes(anchor, ConfigKeys.INNER_EPOCHS, 1L);
        changes(anchor, ConfigKeys.OUTER_ITERATIONS, 2L);
        changes(anchor, ConfigKeys.SNAPSHOT, SnapshotMode.CURRENT);
        changes(anchor.with(ConfigKeys.OUTER_ITERATIONS, 2L), ConfigKeys.RESTART_OPTIMIZER, false);
        changes(anchor, ConfigKeys.HARD_WEIGHT, 0.5);
        changes(anchor, ConfigKeys.TEMPERATURE, 2.0);
        changes(anchor, ConfigKeys.DIVERGENCE, Divergence.REVERSE_KL);
        changes(jsd, ConfigKeys.JSD_BETA, 0.9);
        changes(anchor, ConfigKeys.CACHE_TYPE, CacheType.FLOAT16);

        keeps(sft, ConfigKeys.OUT, shared.resolve("elsewhere"));
        keeps(sft, ConfigKeys.RESUME, true);
        keeps(sft, ConfigKeys.DATA_EVAL, runs.rows());
        keeps(sft, ConfigKeys.DATA_RETENTION, runs.rows());
        keeps(sft, ConfigKeys.SAVE_STEPS, 1L);
        keeps(sft.with(ConfigKeys.SAVE_STEPS, 1L), ConfigKeys.SAVE_TOTAL_LIMIT, 1L);
        keeps(sft, ConfigKeys.LOGGING_STEPS, 1L);
        keeps(evaluated, ConfigKeys.EVAL_STEPS, 1L);
        keeps(anchor, ConfigKeys.KL_TOTAL_BUDGET, 1e3);
        keeps(anchor.with(ConfigKeys.DATA_RETENTION, runs.rows()), ConfigKeys.KL_RETENTION_BUDGET, 1e3);
        keeps(sft, ConfigKeys.THREADS, 3L);
        keeps(anchor, ConfigKeys.CACHE, CacheMode.NEVER);
        keeps(anchor, ConfigKeys.CACHE_DIR, shared.resolve("caches"));
        keeps(anchor, ConfigKeys.CACHE_LIMIT_GIB, 1.0);
    }

    private static <T> void changes(TrainingConfig config, ConfigKey<T> key, T value) {
        CHANGES.put(key, new Change(true, config, config.with(key, value)));
    }

    private static <T> void keeps(TrainingConfig config, ConfigKey<T> key, T value) {
        CHANGES.put(key, new Change(false, config, config.with(key, value)));
    }

    static Stream<ConfigKey<?>> keys() {
        return ConfigKeys.all().stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("keys")
    void everyKeyChangesWhatItSays(ConfigKey<?> key) {
        assumeThat(key.equals(ConfigKeys.BF16) && !NativeLibrary.load().multipliesBfloat16())
                .as("this processor has neither AVX512_BF16 nor AMX, without which bf16 is refused")
                .isFalse();
        Change change = CHANGES.get(key);
        assertThat(change)
                .as("%s: a new key says here whether it changes the weights", key)
                .isNotNull();
        boolean same = weights(run(change.before)).equals(weights(run(change.after)));
        assertThat(same).as("the same weights whatever %s", key).isEqualTo(!change.matters);
    }

    @Test
    void aRunThatIsRepeatedHasTheSameBits() {
        TrainingConfig config = CHANGES.get(ConfigKeys.ALPHA).before;
        assertThat(weights(begin(config))).isEqualTo(weights(run(config)));
    }

    @Test
    void keysThatKeepTheWeightsDoWhatTheySay() {
        assertThat(evaluatedSteps(ConfigKeys.DATA_EVAL)).containsExactly(4);
        assertThat(evaluatedSteps(ConfigKeys.EVAL_STEPS)).containsExactly(1, 2, 3, 4);
        assertThat(TinyRuns.checkpoints(run(CHANGES.get(ConfigKeys.SAVE_STEPS).after)))
                .containsExactly("checkpoint-1", "checkpoint-2", "checkpoint-3", "checkpoint-4");
        assertThat(TinyRuns.checkpoints(run(CHANGES.get(ConfigKeys.SAVE_TOTAL_LIMIT).after)))
                .containsExactly("checkpoint-4");
        assertThat(PreparedJob.sessionSettings(CHANGES.get(ConfigKeys.THREADS).after)
                        .intraOpThreads())
                .isEqualTo(3);
    }

    private static List<Integer> evaluatedSteps(ConfigKey<?> key) {
        return TinyRuns.lines(run(CHANGES.get(key).after).resolve("eval.jsonl")).stream()
                .map(line -> line.get("step").asInt())
                .toList();
    }

    /** Of runs that several keys are compared with, each is made once. */
    private static Path run(TrainingConfig config) {
        return RUNS.computeIfAbsent(config, EveryKeyTest::begin);
    }

    private static Path begin(TrainingConfig config) {
        Path out = config.out().resolve("run-" + BEGUN.incrementAndGet());
        return TinyRuns.run(config.with(ConfigKeys.OUT, out)).run();
    }

    /** The bits of all weights of the last checkpoint. */
    private static List<ByteBuffer> weights(Path run) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(
                ModelFolder.latestCheckpoint(run).orElseThrow().resolve("checkpoint"));
        return checkpoint.trainable().stream()
                .map(tensor -> checkpoint.values(tensor).bytes())
                .toList();
    }
}
