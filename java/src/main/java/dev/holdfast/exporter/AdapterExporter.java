package dev.holdfast.exporter;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.BaseWeights;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.LoraConfig;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Makes of an artifact one that trains low-rank adapters. The weights are not written again: both artifacts hold the same file, or where the
 * file system cannot do that, a copy.
 *
 * <p>The directory appears whole or not at all.
 */
public final class AdapterExporter {
    private AdapterExporter() {}

    /**
     * Writes the artifact.
     *
     * @param full an artifact whose weights are all trained
     * @param seed of the adapters' first values
     * @param target a folder that does not exist yet, or is empty
     * @throws IllegalArgumentException if the artifact has adapters already
     * @throws dev.holdfast.error.InvalidConfigurationException if the target modules are not the model's
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read or written, such as on a full disk
     */
    public static ArtifactDirectory export(ArtifactDirectory full, LoraConfig config, long seed, Path target) {
        ExportedModel model = model(full, config);
        LowRankAdapters adapters = model.adapters().orElseThrow();
        try (StagedDirectory staged = StagedDirectory.forNew(target)) {
            Path directory = staged.path();
            ModelFiles.copy(full.path(), directory);
            Map<String, FileDigest> digests = BaseWeights.link(
                    full.checkpoint(), directory, full.manifest().files());
            CheckpointWriter checkpoint = new CheckpointWriter();
            AdapterValues.fresh(adapters, seed).forEach(checkpoint::trainable);
            checkpoint.write(directory.resolve(ArtifactDirectory.CHECKPOINT));
            ArtifactContents contents = new ArtifactContents(model, directory);
            contents.writeGraphs(Kernels.HOLDFAST);
            contents.writeManifest(
                    full.manifest().model().name(), full.manifest().source(), digests);
            return ArtifactDirectory.trusted(staged.commit());
        }
    }

    /**
     * Makes sure that an artifact has the layers that adapters are for.
     *
     * @throws IllegalArgumentException if the artifact has adapters already
     * @throws dev.holdfast.error.InvalidConfigurationException if the target modules are not the model's
     */
    public static void requireAdaptable(ArtifactDirectory full, LoraConfig config) {
        model(full, config);
    }

    private static ExportedModel model(ArtifactDirectory full, LoraConfig config) {
        if (full.lora().isPresent()) {
            throw new IllegalArgumentException(full.path() + ": expected an artifact without LoRA, got one with it");
        }
        Path file = full.path().resolve(ArtifactDirectory.CONFIG);
        Decoder decoder = Decoder.of(ModelConfig.of(JsonFiles.read(file, JsonNode.class), file.toString()));
        return new ExportedModel(decoder, Optional.of(LowRankAdapters.of(decoder, config)));
    }
}
