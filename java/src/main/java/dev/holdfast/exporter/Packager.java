package dev.holdfast.exporter;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.artifact.GenaiConfig;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.ModelFiles;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import dev.holdfast.files.Sha256Sums;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns a trained model into the folder that deployments load: a decoder with a cache of keys and values, weights, tokenizer, chat
 * template, model card. Plain ONNX Runtime and onnxruntime-genai run it; nothing of Holdfast is needed.
 *
 * <p>The folder appears whole or not at all. Thread safety: none.
 */
public final class Packager {
    private final ModelFolder source;
    private Exporter.Listener listener = (numbers, total) -> {};
    private boolean apart;

    private Packager(ModelFolder source) {
        this.source = source;
    }

    /**
     * Will package a run (its latest checkpoint), a checkpoint of a run, or an artifact.
     *
     * @throws dev.holdfast.error.InvalidInputException if the folder is none of these
     * @throws dev.holdfast.error.MalformedFileException if a file of it is truncated or corrupt
     */
    public static Packager of(Path source) {
        return new Packager(ModelFolder.open(source));
    }

    /** Tells a listener of the progress. */
    public Packager listener(Exporter.Listener choice) {
        listener = choice;
        return this;
    }

    /**
     * Keeps adapters apart from the weights instead of merging them: the decoder is the base model with the adapters as optional inputs, and
     * beside it are {@value DeployableFolder#ADAPTER} for ONNX Runtime and the folder {@value DeployableFolder#PEFT} for PEFT.
     */
    public Packager adaptersApart() {
        apart = true;
        return this;
    }

    /**
     * Writes the folder.
     *
     * @param target a folder that does not exist yet, or is empty
     * @return the folder
     * @throws dev.holdfast.error.MalformedFileException if a file of the source is missing, truncated or corrupt
     * @throws dev.holdfast.error.InvalidInputException if weights and configuration contradict each other, the target holds something, or
     *     adapters are to be kept apart and there are none
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read or written, such as on a full disk
     */
    public DeployableFolder packageTo(Path target) {
        Path file = source.tokenizer().resolve(ArtifactDirectory.CONFIG);
        JsonNode huggingFace = JsonFiles.read(file, JsonNode.class);
        Decoder decoder = Decoder.of(ModelConfig.of(huggingFace, file.toString()));
        try (StagedDirectory staged = StagedDirectory.forNew(target);
                Tokenizer tokenizer = Tokenizer.load(source.tokenizer())) {
            Path folder = staged.path();
            GenaiConfig config = GenaiSettings.of(decoder.config(), huggingFace, tokenizer);
            ModelFiles.copy(source.tokenizer(), folder);
            JsonFiles.write(folder.resolve(DeployableFolder.GENAI_CONFIG), config);
            OutputFile.writeWhole(
                    folder.resolve(DeployableFolder.README),
                    ModelCard.of(source, decoder, apart).getBytes(StandardCharsets.UTF_8));
            Map<String, FileDigest> digests = writeDecoder(decoder, folder);
            for (String name : List.of(ArtifactDirectory.CONFIG, ModelFiles.TOKENIZER)) {
                digests.put(name, FileDigest.of(folder.resolve(name)));
            }
            // Without what people edit: settings of generation, the chat template, the card.
            Sha256Sums.write(folder, digests);
            return new DeployableFolder(staged.commit(), config);
        }
    }

    private Map<String, FileDigest> writeDecoder(Decoder decoder, Path folder) {
        OrtCheckpoint checkpoint = source.checkpoint();
        DecoderFiles files = new DecoderFiles(decoder, checkpoint, listener);
        Optional<LowRankAdapters> adapters =
                Optional.ofNullable(source.model().lora()).map(config -> LowRankAdapters.of(decoder, config));
        if (!apart) {
            return adapters.map(merged -> files.writeMerged(folder, merged)).orElseGet(() -> files.write(folder));
        }
        LowRankAdapters kept = adapters.orElseThrow(
                () -> new InvalidInputException(
                        source.path()
                                + ": expected a model with adapters to keep apart, got one whose weights were all trained; package it without --adapter"));
        Map<String, FileDigest> digests = files.writeAdaptable(folder, kept);
        AdapterFiles.write(checkpoint, kept, source.model().name(), decoder.storesInputFirst(), folder)
                .forEach(digests::put);
        return digests;
    }
}
