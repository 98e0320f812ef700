package dev.holdfast.weights;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The settings of low-rank adapters, y = W·x + scale·B·A·dropout(x), under the names that PEFT's {@code adapter_config.json} has.
 *
 * @param r rank: columns of B and rows of A, at least 1
 * @param alpha numerator of the scale, above 0
 * @param dropout share of x that is left out in training, in [0, 1)
 * @param targetModules the linear layers that have an adapter: their names or what these end with after a dot, or {@value #ALL_LINEAR}
 * @param useRslora whether the scale is alpha / √r instead of alpha / r
 */
public record LoraConfig(
        int r,
        @JsonProperty("lora_alpha") double alpha,
        @JsonProperty("lora_dropout") double dropout,
        @JsonProperty("target_modules") List<String> targetModules,
        @JsonProperty("use_rslora") boolean useRslora) {
    /** Stands for every linear layer of the blocks. */
    public static final String ALL_LINEAR = "all-linear";

    private static final String DOWN = ".lora_A.weight";
    private static final String UP = ".lora_B.weight";

    public LoraConfig {
        require("r", "at least 1", r, r >= 1);
        require("lora_alpha", "a finite number above 0", alpha, alpha > 0 && Double.isFinite(alpha));
        require("lora_dropout", "a number from 0 to below 1", dropout, dropout >= 0 && dropout < 1);
        require("target_modules", "at least one", targetModules, targetModules != null && !targetModules.isEmpty());
        targetModules = List.copyOf(targetModules);
    }

    private static void require(String name, String expected, Object got, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", got " + got);
        }
    }

    /** Adapters of this rank on every linear layer, with alpha = 2r and without dropout. */
    public static LoraConfig of(int r) {
        return new LoraConfig(r, 2.0 * r, 0, List.of(ALL_LINEAR), false);
    }

    /** These settings with other layers. */
    public LoraConfig withTargetModules(List<String> modules) {
        return new LoraConfig(r, alpha, dropout, modules, useRslora);
    }

    /** What B·A·x is multiplied with. */
    public double scale() {
        return alpha / (useRslora ? Math.sqrt(r) : r);
    }

    /** Whether a target module means this layer. */
    public static boolean matches(String target, String layer) {
        return target.equals(ALL_LINEAR) || layer.equals(target) || layer.endsWith("." + target);
    }

    /** The name of a layer's A. */
    public static String down(String layer) {
        return layer + DOWN;
    }

    /** The name of a layer's B. */
    public static String up(String layer) {
        return layer + UP;
    }
}
