package dev.holdfast.cli;

import dev.holdfast.weights.LoraConfig;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The flags of a new artifact with low-rank adapters; jobs have keys of the same names. */
final class LoraFlags {
    @Option(
            names = "--lora_r",
            paramLabel = "N",
            description = "Rank of low-rank adapters, which are trained instead of the weights; 0 = train all weights",
            defaultValue = "0")
    private int rank;

    @Option(
            names = "--lora_alpha",
            paramLabel = "N",
            description = "Numerator of the adapters' scale lora_alpha / lora_r; 0 = twice lora_r",
            defaultValue = "0")
    private double alpha;

    @Option(
            names = "--lora_dropout",
            paramLabel = "N",
            description = "Share of the adapters' inputs that is left out in training",
            defaultValue = "0")
    private double dropout;

    @Option(
            names = "--lora_target_modules",
            paramLabel = "NAME,...",
            split = ",",
            description = "Linear layers that have an adapter, such as q_proj,v_proj; all-linear = all but the head",
            defaultValue = LoraConfig.ALL_LINEAR)
    private List<String> targetModules;

    @Option(
            names = "--use_rslora",
            arity = "0..1",
            paramLabel = "true|false",
            description = "Scale adapters by lora_alpha / sqrt(lora_r)",
            defaultValue = "false",
            fallbackValue = "true")
    private boolean useRslora;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the adapters' first values", defaultValue = "42")
    private long seed;

    /** The adapters that are asked for, if any are. */
    Optional<LoraConfig> config() {
        return isAskedFor()
                ? Optional.of(new LoraConfig(rank, alpha == 0 ? 2.0 * rank : alpha, dropout, targetModules, useRslora))
                : Optional.empty();
    }

    boolean isAskedFor() {
        return rank > 0;
    }

    long seed() {
        return seed;
    }

    void check(FlagProblems problems) {
        problems.require(rank >= 0, "--lora_r", "0 or more", rank);
        problems.require(alpha >= 0 && Double.isFinite(alpha), "--lora_alpha", "a number of at least 0", alpha);
        problems.require(dropout >= 0 && dropout < 1, "--lora_dropout", "a number from 0 to below 1", dropout);
        if (rank == 0) {
            problems.require(alpha == 0, "--lora_alpha", "--lora_r beside it", alpha + " alone");
            problems.require(dropout == 0, "--lora_dropout", "--lora_r beside it", dropout + " alone");
            problems.require(!useRslora, "--use_rslora", "--lora_r beside it", "it alone");
            problems.require(
                    targetModules.equals(List.of(LoraConfig.ALL_LINEAR)),
                    "--lora_target_modules",
                    "--lora_r beside it",
                    String.join(",", targetModules) + " alone");
        }
    }
}
