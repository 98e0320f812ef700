package dev.holdfast.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The table of all keys, in the order in which files, help texts and documentation list them. */
public final class ConfigKeys {
    private static final List<ConfigKey<?>> TABLE = new ArrayList<>();
    private static final Set<Job> ALL = EnumSet.allOf(Job.class);
    private static final Set<Job> SUPERVISED = EnumSet.of(Job.SFT, Job.FINETUNE);
    private static final Set<Job> ANCHORED = EnumSet.of(Job.ANCHOR, Job.FINETUNE);

    public static final ConfigKey<Path> ARTIFACT =
            required("artifact", ALL, "Artifact directory that training starts from, as export writes it");
    public static final ConfigKey<Path> REFERENCE = required(
            "reference",
            EnumSet.of(Job.ANCHOR),
            "Fine-tuned reference with the same vocabulary: a run, a checkpoint, an artifact, or a folder with model.onnx, a deployed decoder");
    public static final ConfigKey<Path> DATA_TRAIN =
            required("data.train", ALL, "Training rows, JSON lines; data alone means the same");
    public static final ConfigKey<Path> DATA_EVAL =
            path("data.eval", "Held-out rows of the task, JSON lines, for the evaluation loss");
    public static final ConfigKey<Path> DATA_RETENTION = path(
            "data.retention",
            "Rows of what the model should not forget, JSON lines; only measured: their loss beside data.eval's, and an anchored run's drift on them");
    public static final ConfigKey<Path> OUT =
            required("out", ALL, "Directory of the run: configuration, metrics, checkpoints");
    public static final ConfigKey<Boolean> RESUME =
            toggle("resume", false, ALL, "Continue the run in out from its last checkpoint");

    public static final ConfigKey<Double> LEARNING_RATE =
            decimal("learning_rate", DecimalType.atLeast(0), 1e-5, ALL, "Peak learning rate of AdamW");
    public static final ConfigKey<ScheduleType> LR_SCHEDULER_TYPE =
            choice("lr_scheduler_type", ScheduleType.COSINE, ALL, "Course of the learning rate after the warm-up");
    public static final ConfigKey<Double> WARMUP_RATIO = decimal(
            "warmup_ratio",
            DecimalType.between(0, 1),
            0.03,
            ALL,
            "Share of the steps in which the learning rate rises from 0");
    public static final ConfigKey<Double> WEIGHT_DECAY =
            decimal("weight_decay", DecimalType.atLeast(0), 0.0, ALL, "Decoupled weight decay of AdamW");
    public static final ConfigKey<Double> ADAM_BETA1 =
            decimal("adam_beta1", DecimalType.fromButBelow(0, 1), 0.9, ALL, "Decay of AdamW's first moment");
    public static final ConfigKey<Double> ADAM_BETA2 =
            decimal("adam_beta2", DecimalType.fromButBelow(0, 1), 0.999, ALL, "Decay of AdamW's second moment");
    public static final ConfigKey<Double> ADAM_EPSILON =
            decimal("adam_epsilon", DecimalType.above(0), 1e-8, ALL, "Added to the root of AdamW's second moment");
    public static final ConfigKey<Double> MAX_GRAD_NORM =
            decimal("max_grad_norm", DecimalType.atLeast(0), 1.0, ALL, "Norm to which gradients are clipped; 0 = off");

    public static final ConfigKey<Long> PER_DEVICE_TRAIN_BATCH_SIZE =
            integer("per_device_train_batch_size", 1, 8, ALL, "Rows of one forward and backward pass");
    public static final ConfigKey<Long> GRADIENT_ACCUMULATION_STEPS =
            integer("gradient_accumulation_steps", 1, 1, ALL, "Passes that make one optimizer step");
    public static final ConfigKey<Long> NUM_TRAIN_EPOCHS =
            integer("num_train_epochs", 1, 3, SUPERVISED, "Passes over the training rows in supervised fine-tuning");
    public static final ConfigKey<Long> MAX_STEPS = integer(
            "max_steps",
            -1,
            0,
            ALL,
            "Optimizer steps of the whole run, instead of the epochs; an anchored run ends early by it; 0 or -1 = off");
    public static final ConfigKey<Long> MAX_LENGTH =
            integer("max_length", 2, 1024, ALL, "Tokens of a row, prompt and response together");
    public static final ConfigKey<TooLongRows> ON_TOO_LONG =
            choice("on_too_long", TooLongRows.CUT, ALL, "What happens to rows longer than max_length");
    public static final ConfigKey<Boolean> SHUFFLE =
            toggle("shuffle", true, ALL, "Draw a new order of the rows for each epoch");
    public static final ConfigKey<Long> SEED = key(
            "seed",
            new IntegerType(0, Long.MAX_VALUE),
            42L,
            ALL,
            "Seed of everything random, the order of rows above all");
    public static final ConfigKey<Boolean> APPEND_EOS = toggle(
            "append_eos",
            true,
            ALL,
            "Close every response with the end-of-sequence token; in rows of messages the chat template closes the turn either way");

    public static final ConfigKey<Long> LORA_R = integer(
            "lora_r",
            0,
            0,
            ALL,
            "Rank of low-rank adapters, which are trained instead of the weights; 0 = train all weights");
    public static final ConfigKey<Double> LORA_ALPHA = decimal(
            "lora_alpha",
            DecimalType.atLeast(0),
            0.0,
            ALL,
            "Numerator of the adapters' scale lora_alpha / lora_r; 0 = twice lora_r");
    public static final ConfigKey<Double> LORA_DROPOUT = decimal(
            "lora_dropout",
            DecimalType.fromButBelow(0, 1),
            0.0,
            ALL,
            "Share of the adapters' inputs that is left out in training");
    public static final ConfigKey<List<String>> LORA_TARGET_MODULES = key(
            "lora_target_modules",
            new NamesType(),
            List.of("all-linear"),
            ALL,
            "Linear layers that have an adapter, such as q_proj,v_proj; all-linear = all but the head");
    public static final ConfigKey<Boolean> USE_RSLORA =
            toggle("use_rslora", false, ALL, "Scale adapters by lora_alpha / sqrt(lora_r)");

    public static final ConfigKey<Double> ALPHA = decimal(
            "alpha",
            DecimalType.between(0, 1),
            0.5,
            ANCHORED,
            "Weight of the reference in the anchor: 0 = snapshot, 1 = reference");
    public static final ConfigKey<Double> KL_BUDGET = decimal(
            "kl_budget",
            DecimalType.atLeast(0),
            0.0,
            ANCHORED,
            "Nats per token that the anchor of an outer iteration may be from the snapshot: chooses the largest alpha with KL(snapshot, anchor) within it; 0 = alpha as set");
    public static final ConfigKey<Double> KL_TOTAL_BUDGET = decimal(
            "kl_total_budget",
            DecimalType.atLeast(0),
            0.0,
            ANCHORED,
            "Nats per token that the model may drift from the base on the ledger's rows (data.eval, else data.train): the run ends at the first measurement beyond it, with the last model within; 0 = off");
    public static final ConfigKey<Double> KL_RETENTION_BUDGET = decimal(
            "kl_retention_budget",
            DecimalType.atLeast(0),
            0.0,
            ANCHORED,
            "The same on the rows of data.retention; 0 = off");
    public static final ConfigKey<Interpolation> INTERPOLATION =
            choice("interpolation", Interpolation.LOGIT, ANCHORED, "How snapshot and reference are mixed");
    public static final ConfigKey<Long> INNER_EPOCHS =
            integer("inner_epochs", 1, 5, ANCHORED, "Passes over the training rows between two snapshots");
    public static final ConfigKey<Long> OUTER_ITERATIONS =
            integer("outer_iterations", 1, 5, ANCHORED, "Snapshots in all");
    public static final ConfigKey<SnapshotMode> SNAPSHOT = choice(
            "snapshot",
            SnapshotMode.MODEL,
            ANCHORED,
            "Snapshot: the frozen model (exact), or the step's own detached logits (cheaper)");
    public static final ConfigKey<Boolean> RESTART_OPTIMIZER = toggle(
            "restart_optimizer",
            true,
            ANCHORED,
            "Moments and learning-rate schedule start anew with each outer iteration");
    public static final ConfigKey<Double> HARD_WEIGHT = decimal(
            "hard_weight",
            DecimalType.between(0, 1),
            0.0,
            ANCHORED,
            "Weight w of cross-entropy on the labels: (1 - w) KL + w CE");
    public static final ConfigKey<Double> TEMPERATURE = decimal(
            "temperature",
            DecimalType.above(0),
            1.0,
            ANCHORED,
            "Divides the logits of student, snapshot and reference");
    public static final ConfigKey<Divergence> DIVERGENCE =
            choice("divergence", Divergence.FORWARD_KL, ANCHORED, "What is minimised between anchor and student");
    public static final ConfigKey<Double> JSD_BETA = decimal(
            "jsd_beta",
            DecimalType.inside(0, 1),
            0.5,
            ANCHORED,
            "Weight of the anchor in the mixture of divergence jsd");

    public static final ConfigKey<Long> SAVE_STEPS = integer(
            "save_steps",
            0,
            500,
            ALL,
            "Optimizer steps between two checkpoints; 0 = at the end of iterations and run alone");
    public static final ConfigKey<Long> SAVE_TOTAL_LIMIT = integer(
            "save_total_limit",
            0,
            2,
            ALL,
            "Checkpoints that are kept, the newest, beside the snapshot of the iteration under way; 0 = all");
    public static final ConfigKey<Long> LOGGING_STEPS =
            integer("logging_steps", 1, 10, ALL, "Optimizer steps between two lines of progress");
    public static final ConfigKey<Long> EVAL_STEPS = integer(
            "eval_steps",
            0,
            0,
            ALL,
            "Optimizer steps between two evaluations on data.eval and data.retention; 0 = at the end alone");
    public static final ConfigKey<Boolean> BF16 = toggle(
            "bf16",
            false,
            ALL,
            "Multiply matrices with operands rounded to bfloat16; sums, weights and optimizer stay in float");
    public static final ConfigKey<CacheMode> CACHE = choice(
            "cache",
            CacheMode.AUTO,
            ANCHORED,
            "Keep the hidden states of snapshot and reference on disk: auto = where a row is visited more than once");
    public static final ConfigKey<CacheType> CACHE_TYPE = choice(
            "cache_type",
            CacheType.FLOAT32,
            ANCHORED,
            "Type of the hidden states on disk: the half types take half the room and round, by how much is told");
    public static final ConfigKey<Path> CACHE_DIR = add(new ConfigKey<>(
            "cache_dir",
            new PathType(),
            Optional.empty(),
            ANCHORED,
            Set.of(),
            "Folder of the caches, which runs share; without it, cache beside the run"));
    public static final ConfigKey<Double> CACHE_LIMIT_GIB = decimal(
            "cache_limit_gib",
            DecimalType.atLeast(0),
            100.0,
            ANCHORED,
            "Disk that the caches of a run may take, in GiB; a run that needs more does not begin");
    public static final ConfigKey<Long> THREADS =
            integer("threads", 0, 0, ALL, "Threads of ONNX Runtime and the optimizer; 0 = all cores");

    private static final List<ConfigKey<?>> KEYS = Collections.unmodifiableList(TABLE);

    private ConfigKeys() {}

    /** Every key, in order. */
    public static List<ConfigKey<?>> all() {
        return KEYS;
    }

    /** The keys that a job takes, in order. */
    public static List<ConfigKey<?>> of(Job job) {
        return KEYS.stream().filter(key -> key.jobs().contains(job)).toList();
    }

    /** The key of this name; a dash stands for an underscore, and {@code data} for {@code data.train}. */
    public static Optional<ConfigKey<?>> find(String name) {
        String sought = canonical(name);
        return KEYS.stream().filter(key -> key.name().equals(sought)).findFirst();
    }

    /** The known name that is nearest to an unknown one, if any is near. */
    public static Optional<String> nearest(String unknown) {
        return Nearest.to(canonical(unknown), KEYS.stream().map(ConfigKey::name).toList());
    }

    /** Whether keys can stand below this name. */
    static boolean isSection(String name) {
        return KEYS.stream().anyMatch(key -> key.name().startsWith(name + "."));
    }

    static String canonical(String name) {
        String underscored = name.replace('-', '_');
        return underscored.equals("data") ? DATA_TRAIN.name() : underscored;
    }

    private static ConfigKey<Path> path(String name, String help) {
        return add(new ConfigKey<>(name, new PathType(), Optional.empty(), ALL, Set.of(), help));
    }

    private static ConfigKey<Path> required(String name, Set<Job> jobs, String help) {
        return add(new ConfigKey<>(name, new PathType(), Optional.empty(), jobs, jobs, help));
    }

    private static ConfigKey<Boolean> toggle(String name, boolean value, Set<Job> jobs, String help) {
        return key(name, new BooleanType(), value, jobs, help);
    }

    private static ConfigKey<Double> decimal(String name, DecimalType type, double value, Set<Job> jobs, String help) {
        return key(name, type, value, jobs, help);
    }

    private static ConfigKey<Long> integer(String name, long least, long value, Set<Job> jobs, String help) {
        return key(name, IntegerType.atLeast(least), value, jobs, help);
    }

    private static <E extends Enum<E>> ConfigKey<E> choice(String name, E value, Set<Job> jobs, String help) {
        return key(name, new ChoiceType<>(value.getDeclaringClass()), value, jobs, help);
    }

    private static <T> ConfigKey<T> key(String name, KeyType<T> type, T value, Set<Job> jobs, String help) {
        return add(new ConfigKey<>(name, type, Optional.of(value), jobs, Set.of(), help));
    }

    private static <T> ConfigKey<T> add(ConfigKey<T> key) {
        TABLE.add(key);
        return key;
    }
}
