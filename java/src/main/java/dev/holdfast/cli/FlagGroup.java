package dev.holdfast.cli;

import dev.holdfast.config.ConfigKey;
import dev.holdfast.config.ConfigKeys;
import java.util.List;
import picocli.CommandLine.Model.OptionSpec;

/** The headings under which the help of a training command lists its flags, in order. */
enum FlagGroup {
    MODEL_AND_DATA(
            "Model and data",
            List.of(
                    ConfigKeys.ARTIFACT,
                    ConfigKeys.REFERENCE,
                    ConfigKeys.DATA_TRAIN,
                    ConfigKeys.DATA_EVAL,
                    ConfigKeys.DATA_RETENTION,
                    ConfigKeys.OUT,
                    ConfigKeys.RESUME,
                    ConfigKeys.MAX_LENGTH,
                    ConfigKeys.ON_TOO_LONG,
                    ConfigKeys.APPEND_EOS,
                    ConfigKeys.SHUFFLE,
                    ConfigKeys.SEED)),
    OPTIMISATION(
            "Optimisation",
            List.of(
                    ConfigKeys.LEARNING_RATE,
                    ConfigKeys.LR_SCHEDULER_TYPE,
                    ConfigKeys.WARMUP_RATIO,
                    ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE,
                    ConfigKeys.GRADIENT_ACCUMULATION_STEPS,
                    ConfigKeys.NUM_TRAIN_EPOCHS,
                    ConfigKeys.MAX_STEPS,
                    ConfigKeys.MAX_GRAD_NORM,
                    ConfigKeys.WEIGHT_DECAY,
                    ConfigKeys.ADAM_BETA1,
                    ConfigKeys.ADAM_BETA2,
                    ConfigKeys.ADAM_EPSILON)),
    ADAPTERS(
            "Low-rank adapters",
            List.of(
                    ConfigKeys.LORA_R,
                    ConfigKeys.LORA_ALPHA,
                    ConfigKeys.LORA_DROPOUT,
                    ConfigKeys.LORA_TARGET_MODULES,
                    ConfigKeys.USE_RSLORA)),
    ANCHORING(
            "Anchoring",
            List.of(
                    ConfigKeys.ALPHA,
                    ConfigKeys.KL_BUDGET,
                    ConfigKeys.KL_TOTAL_BUDGET,
                    ConfigKeys.KL_RETENTION_BUDGET,
                    ConfigKeys.INTERPOLATION,
                    ConfigKeys.INNER_EPOCHS,
                    ConfigKeys.OUTER_ITERATIONS,
                    ConfigKeys.SNAPSHOT,
                    ConfigKeys.RESTART_OPTIMIZER,
                    ConfigKeys.HARD_WEIGHT,
                    ConfigKeys.TEMPERATURE,
                    ConfigKeys.DIVERGENCE,
                    ConfigKeys.JSD_BETA)),
    CACHING(
            "Caching of snapshot and reference",
            List.of(ConfigKeys.CACHE, ConfigKeys.CACHE_TYPE, ConfigKeys.CACHE_DIR, ConfigKeys.CACHE_LIMIT_GIB)),
    SAVING_AND_LOGGING(
            "Saving and logging",
            List.of(
                    ConfigKeys.SAVE_STEPS,
                    ConfigKeys.SAVE_TOTAL_LIMIT,
                    ConfigKeys.LOGGING_STEPS,
                    ConfigKeys.EVAL_STEPS)),
    MACHINE("Machine", List.of(ConfigKeys.BF16, ConfigKeys.THREADS));

    private final String title;
    private final List<ConfigKey<?>> keys;

    FlagGroup(String title, List<ConfigKey<?>> keys) {
        this.title = title;
        this.keys = keys;
    }

    String title() {
        return title;
    }

    List<ConfigKey<?>> keys() {
        return keys;
    }

    /** Those of a command's flags that belong here, in the order of the keys. */
    List<OptionSpec> of(List<OptionSpec> options) {
        return keys().stream()
                .flatMap(key -> options.stream()
                        .filter(option -> List.of(option.names()).contains(key.flagName())))
                .toList();
    }
}
