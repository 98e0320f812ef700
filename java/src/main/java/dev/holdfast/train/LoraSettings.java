package dev.holdfast.train;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.weights.LoraConfig;
import java.util.List;

/** What a configuration says of low-rank adapters. */
record LoraSettings(TrainingConfig config) {
    static LoraSettings of(TrainingConfig config) {
        return new LoraSettings(config);
    }

    /** Whether the job asks for them. */
    boolean areSet() {
        return config.loraR() > 0;
    }

    /** The adapters that the job asks for. */
    LoraConfig lora() {
        double alpha = config.loraAlpha() > 0 ? config.loraAlpha() : 2.0 * config.loraR();
        return new LoraConfig(
                config.loraR(), alpha, config.loraDropout(), config.loraTargetModules(), config.useRslora());
    }

    /**
     * An artifact that was exported with adapters keeps them.
     *
     * @throws InvalidConfigurationException if the job asks for others
     */
    void requireSameAs(ArtifactDirectory artifact) {
        if (areSet() && artifact.lora().isPresent() && !artifact.lora().get().equals(lora())) {
            throw new InvalidConfigurationException(List.of("lora_r: expected the adapters of " + artifact.path() + ", "
                    + artifact.lora().get() + ", got " + lora()
                    + "; leave the keys of LoRA out, or name an artifact without adapters"));
        }
    }
}
