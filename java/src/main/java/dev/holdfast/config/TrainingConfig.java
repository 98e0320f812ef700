package dev.holdfast.config;

import dev.holdfast.error.InvalidConfigurationException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The settings of one training job; what is not set has its default. Immutable.
 *
 * <p>From Java: {@code TrainingConfig.of(Job.ANCHOR).with(ConfigKeys.ALPHA, 0.3).with(ConfigKeys.OUTER_ITERATIONS, 3L)}. From files and
 * flags: {@link ConfigReader}.
 */
public final class TrainingConfig {
    private final Job job;
    private final Map<ConfigKey<?>, Object> values;

    private TrainingConfig(Job job, Map<ConfigKey<?>, Object> values) {
        this.job = job;
        this.values = values;
    }

    /** A job with every key at its default and no paths. */
    public static TrainingConfig of(Job job) {
        return new TrainingConfig(Objects.requireNonNull(job, "job"), Map.of());
    }

    /**
     * The same settings but for one.
     *
     * @throws IllegalArgumentException if the job does not take the key or its range does not allow the value
     */
    public <T> TrainingConfig with(ConfigKey<T> key, T value) {
        if (!key.jobs().contains(job)) {
            throw new IllegalArgumentException(key.name() + ": expected a key of " + job.command());
        }
        if (!key.type().allows(value)) {
            throw new IllegalArgumentException(
                    key.name() + ": expected " + key.type().expectation() + ", got " + value);
        }
        Map<ConfigKey<?>, Object> changed = new LinkedHashMap<>(values);
        changed.put(key, value);
        return new TrainingConfig(job, changed);
    }

    /**
     * The same settings for another kind of job; those that the other does not take are left out.
     *
     * <p>So {@link Job#FINETUNE} becomes its two stages.
     */
    public TrainingConfig as(Job other) {
        Map<ConfigKey<?>, Object> kept = new LinkedHashMap<>(values);
        kept.keySet().removeIf(key -> !key.jobs().contains(other));
        return new TrainingConfig(other, kept);
    }

    /** The kind of job. */
    public Job job() {
        return job;
    }

    /** The value of a key, or its default; empty for a path that is not set. */
    @SuppressWarnings("unchecked")
    public <T> Optional<T> find(ConfigKey<T> key) {
        return values.containsKey(key) ? Optional.of((T) values.get(key)) : key.defaultValue();
    }

    /**
     * The value of a key, or its default.
     *
     * @throws InvalidConfigurationException if the key is a path that is not set
     */
    public <T> T get(ConfigKey<T> key) {
        return find(key).orElseThrow(() -> new InvalidConfigurationException(List.of(missing(key))));
    }

    /**
     * Makes sure that paths without a default are set.
     *
     * @throws InvalidConfigurationException naming every one that is not
     */
    public void require(ConfigKey<?>... keys) {
        List<String> missing = Arrays.stream(keys)
                .filter(key -> find(key).isEmpty())
                .map(this::missing)
                .toList();
        if (!missing.isEmpty()) {
            throw new InvalidConfigurationException(missing);
        }
    }

    /** Who reads files and flags hears of it from {@link ConfigReader}. */
    private String missing(ConfigKey<?> key) {
        String setter = key.equals(ConfigKeys.OUT)
                ? "to(path)"
                : "with(ConfigKeys." + key.name().toUpperCase(Locale.ROOT).replace('.', '_') + ", path)";
        return key.name() + ": missing: " + job.command() + " needs it; set it with FineTuning." + setter;
    }

    /** Whether the key was set rather than left at its default. */
    public boolean isSet(ConfigKey<?> key) {
        return values.containsKey(key);
    }

    /** What does not fit together, one line each; empty where all is well. */
    public List<String> contradictions() {
        List<String> found = new ArrayList<>();
        if (!ConfigKeys.JSD_BETA.defaultValue().equals(find(ConfigKeys.JSD_BETA)) && divergence() != Divergence.JSD) {
            found.add("jsd_beta: expected divergence jsd, which alone uses it, got divergence "
                    + ConfigKeys.DIVERGENCE.type().format(divergence()));
        }
        for (ConfigKey<?> key : List.of(
                ConfigKeys.LORA_ALPHA,
                ConfigKeys.LORA_DROPOUT,
                ConfigKeys.LORA_TARGET_MODULES,
                ConfigKeys.USE_RSLORA)) {
            if (loraR() == 0 && !key.defaultValue().equals(find(key))) {
                found.add(key.name() + ": expected lora_r to be set as well, which alone makes adapters, got none");
            }
        }
        if (evalSteps() > 0 && dataEval().isEmpty() && dataRetention().isEmpty()) {
            found.add("eval_steps: expected data.eval or data.retention to be set as well, got " + evalSteps()
                    + " without rows to evaluate on");
        }
        if (cache() == CacheMode.NEVER && cacheType() != CacheType.FLOAT32) {
            found.add("cache_type: expected float32 where cache is never, got "
                    + ConfigKeys.CACHE_TYPE.type().format(cacheType()));
        }
        if (job != Job.SFT) {
            addBudgetContradictions(found);
        }
        return found;
    }

    private void addBudgetContradictions(List<String> found) {
        if (klBudget() > 0 && !ConfigKeys.ALPHA.defaultValue().equals(find(ConfigKeys.ALPHA))) {
            found.add("alpha: expected to be left out, for kl_budget chooses it, got " + alpha());
        }
        if (klRetentionBudget() > 0 && dataRetention().isEmpty()) {
            found.add("kl_retention_budget: expected data.retention to be set as well, got " + klRetentionBudget()
                    + " without rows to measure on");
        }
    }

    /** The settings with all defaults of the job spelled out, as YAML that reads back to an equal configuration. */
    public String toYaml() {
        return ConfigWriter.yaml(this);
    }

    /** Artifact directory that training starts from. */
    public Path artifact() {
        return get(ConfigKeys.ARTIFACT);
    }

    /** The fine-tuned reference of an anchored run. */
    public Path reference() {
        return get(ConfigKeys.REFERENCE);
    }

    /** Training rows, JSON lines. */
    public Path dataTrain() {
        return get(ConfigKeys.DATA_TRAIN);
    }

    /** Held-out rows of the task, JSON lines. */
    public Optional<Path> dataEval() {
        return find(ConfigKeys.DATA_EVAL);
    }

    /** Rows of what the model should not forget, JSON lines; measured, not trained on. */
    public Optional<Path> dataRetention() {
        return find(ConfigKeys.DATA_RETENTION);
    }

    /** Directory of the run. */
    public Path out() {
        return get(ConfigKeys.OUT);
    }

    /** Whether the run in {@link #out} is continued. */
    public boolean resume() {
        return get(ConfigKeys.RESUME);
    }

    /** Peak learning rate, at least 0. */
    public double learningRate() {
        return get(ConfigKeys.LEARNING_RATE);
    }

    /** Course of the learning rate. */
    public ScheduleType schedulerType() {
        return get(ConfigKeys.LR_SCHEDULER_TYPE);
    }

    /** Share of the steps in which the learning rate rises, in [0, 1]. */
    public double warmupRatio() {
        return get(ConfigKeys.WARMUP_RATIO);
    }

    /** Decoupled weight decay, at least 0. */
    public double weightDecay() {
        return get(ConfigKeys.WEIGHT_DECAY);
    }

    /** Decay of the first moment, in [0, 1). */
    public double adamBeta1() {
        return get(ConfigKeys.ADAM_BETA1);
    }

    /** Decay of the second moment, in [0, 1). */
    public double adamBeta2() {
        return get(ConfigKeys.ADAM_BETA2);
    }

    /** Added to the root of the second moment, above 0. */
    public double adamEpsilon() {
        return get(ConfigKeys.ADAM_EPSILON);
    }

    /** Norm to which gradients are clipped; 0 = off. */
    public double maxGradNorm() {
        return get(ConfigKeys.MAX_GRAD_NORM);
    }

    /** Rows of one forward and backward pass, at least 1. */
    public int batchSize() {
        return integer(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE);
    }

    /** Passes that make one optimizer step, at least 1. */
    public int gradientAccumulationSteps() {
        return integer(ConfigKeys.GRADIENT_ACCUMULATION_STEPS);
    }

    /** Passes over the training rows in supervised fine-tuning, at least 1. */
    public int epochs() {
        return integer(ConfigKeys.NUM_TRAIN_EPOCHS);
    }

    /** Optimizer steps of the whole run, in place of the epochs; 0 = the epochs count. */
    public int maxSteps() {
        return Math.max(0, integer(ConfigKeys.MAX_STEPS));
    }

    /** Tokens of a row, prompt and response together, at least 2. */
    public int maxLength() {
        return integer(ConfigKeys.MAX_LENGTH);
    }

    /** What happens to longer rows. */
    public TooLongRows onTooLong() {
        return get(ConfigKeys.ON_TOO_LONG);
    }

    /** Whether each epoch has a new order of the rows. */
    public boolean shuffle() {
        return get(ConfigKeys.SHUFFLE);
    }

    /** Seed of everything random. */
    public long seed() {
        return get(ConfigKeys.SEED);
    }

    /** Whether the end-of-sequence token closes every response. */
    public boolean appendEos() {
        return get(ConfigKeys.APPEND_EOS);
    }

    /** Rank of the low-rank adapters that are trained; 0 = all weights are trained. */
    public int loraR() {
        return integer(ConfigKeys.LORA_R);
    }

    /** Numerator of the adapters' scale; 0 = twice the rank. */
    public double loraAlpha() {
        return get(ConfigKeys.LORA_ALPHA);
    }

    /** Share of the adapters' inputs that is left out in training, in [0, 1). */
    public double loraDropout() {
        return get(ConfigKeys.LORA_DROPOUT);
    }

    /** Linear layers that have an adapter. */
    public List<String> loraTargetModules() {
        return get(ConfigKeys.LORA_TARGET_MODULES);
    }

    /** Whether the scale is divided by the root of the rank instead of the rank. */
    public boolean useRslora() {
        return get(ConfigKeys.USE_RSLORA);
    }

    /** Weight of the reference in the anchor, in [0, 1]: 0 = snapshot, 1 = reference. */
    public double alpha() {
        return get(ConfigKeys.ALPHA);
    }

    /** KL(snapshot ‖ anchor) in nats up to which alpha is chosen, at least 0; 0 = off. */
    public double klBudget() {
        return get(ConfigKeys.KL_BUDGET);
    }

    /** KL from the base in nats that ends the run, at least 0; 0 = off. */
    public double klTotalBudget() {
        return get(ConfigKeys.KL_TOTAL_BUDGET);
    }

    /** KL from the base on {@code data.retention} in nats that ends the run, at least 0; 0 = off. */
    public double klRetentionBudget() {
        return get(ConfigKeys.KL_RETENTION_BUDGET);
    }

    /** How snapshot and reference are mixed. */
    public Interpolation interpolation() {
        return get(ConfigKeys.INTERPOLATION);
    }

    /** Passes over the training rows between two snapshots, at least 1. */
    public int innerEpochs() {
        return integer(ConfigKeys.INNER_EPOCHS);
    }

    /** Snapshots in all, at least 1. */
    public int outerIterations() {
        return integer(ConfigKeys.OUTER_ITERATIONS);
    }

    /** What the snapshot is. */
    public SnapshotMode snapshot() {
        return get(ConfigKeys.SNAPSHOT);
    }

    /** Whether matrix products round their operands to bfloat16. */
    public boolean bf16() {
        return get(ConfigKeys.BF16);
    }

    /** Whether moments and schedule start anew with each outer iteration. */
    public boolean restartOptimizer() {
        return get(ConfigKeys.RESTART_OPTIMIZER);
    }

    /** Weight of cross-entropy on the labels, in [0, 1]. */
    public double hardWeight() {
        return get(ConfigKeys.HARD_WEIGHT);
    }

    /** What the logits of all three models are divided by, above 0. */
    public double temperature() {
        return get(ConfigKeys.TEMPERATURE);
    }

    /** What is minimised between anchor and student. */
    public Divergence divergence() {
        return get(ConfigKeys.DIVERGENCE);
    }

    /** Weight of the anchor in the mixture of {@link Divergence#JSD}, in (0, 1). */
    public double jsdBeta() {
        return get(ConfigKeys.JSD_BETA);
    }

    /** Optimizer steps between two checkpoints; 0 = at the end of iterations and run alone. */
    public int saveSteps() {
        return integer(ConfigKeys.SAVE_STEPS);
    }

    /** Checkpoints that are kept; 0 = all. */
    public int saveTotalLimit() {
        return integer(ConfigKeys.SAVE_TOTAL_LIMIT);
    }

    /** Optimizer steps between two lines of progress, at least 1. */
    public int loggingSteps() {
        return integer(ConfigKeys.LOGGING_STEPS);
    }

    /** Optimizer steps between two evaluations; 0 = at the end alone. */
    public int evalSteps() {
        return integer(ConfigKeys.EVAL_STEPS);
    }

    /** Whether hidden states of snapshot and reference are kept on disk. */
    public CacheMode cache() {
        return get(ConfigKeys.CACHE);
    }

    /** The type in which they are kept. */
    public CacheType cacheType() {
        return get(ConfigKeys.CACHE_TYPE);
    }

    /** Folder of the caches: {@code cache} beside the run unless it is set. */
    public Path cacheDir() {
        return find(ConfigKeys.CACHE_DIR).orElseGet(() -> out().resolveSibling("cache"));
    }

    /** Disk that the caches of a run may take, in GiB, at least 0. */
    public double cacheLimitGib() {
        return get(ConfigKeys.CACHE_LIMIT_GIB);
    }

    /** Threads of ONNX Runtime and the optimizer; 0 = all cores. */
    public int threads() {
        return integer(ConfigKeys.THREADS);
    }

    private int integer(ConfigKey<Long> key) {
        return Math.toIntExact(get(key));
    }

    /** Equal where every key has the same value, whether set or by default. */
    @Override
    public boolean equals(Object other) {
        return other instanceof TrainingConfig that
                && job == that.job
                && ConfigKeys.of(job).stream().allMatch(key -> find(key).equals(that.find(key)));
    }

    @Override
    public int hashCode() {
        return Objects.hash(job, ConfigKeys.of(job).stream().map(this::find).toList());
    }

    @Override
    public String toString() {
        return toYaml();
    }
}
