package dev.holdfast.exporter;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.BaseWeights;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.LoraConfig;
import dev.holdfast.weights.ModelSource;
import dev.holdfast.weights.PeftAdapter;
import dev.holdfast.weights.PendingTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Turns a model's weights into an artifact directory: training, evaluation and optimizer graphs, the checkpoint, forward graphs that
 * point into it, the tokenizer, and a manifest with the digest of each file.
 *
 * <p>The directory appears whole or not at all. Thread safety: none.
 */
public final class Exporter {
    /** Hears of the progress of an export. */
    @FunctionalInterface
    public interface Listener {
        /** So many of the model's numbers are written. */
        void written(long numbers, long total);
    }

    private final Path source;
    private Kernels kernels = Kernels.HOLDFAST;
    private Optional<LoraConfig> lora = Optional.empty();
    private Optional<PeftAdapter> adapter = Optional.empty();
    private Optional<PeftAdapter> mergedAdapter = Optional.empty();
    private ElementType frozenType = ElementType.FLOAT;
    private long seed = 42;
    private Listener listener = (numbers, total) -> {};

    private Exporter(Path source) {
        this.source = source;
    }

    /** Will export this Hugging Face folder or GGUF file. */
    public static Exporter of(Path source) {
        return new Exporter(source);
    }

    /** Chooses the operators of the training graphs; Holdfast's own unless told otherwise. */
    public Exporter kernels(Kernels choice) {
        kernels = choice;
        return this;
    }

    /** Freezes the model's weights and trains low-rank adapters instead. */
    public Exporter lora(LoraConfig config) {
        lora = Optional.of(config);
        return this;
    }

    /**
     * Chooses how frozen matrices are stored: FLOAT unless told otherwise, or BFLOAT16. Vectors stay FLOAT, and so do computations.
     *
     * @throws IllegalArgumentException if it is another type
     */
    public Exporter frozenType(ElementType type) {
        if (type != ElementType.FLOAT && type != ElementType.BFLOAT16) {
            throw new IllegalArgumentException("frozenType: expected FLOAT or BFLOAT16, got " + type);
        }
        frozenType = type;
        return this;
    }

    /** Begins with an adapter of PEFT: its settings and values take the place of {@link #lora} and of fresh values. */
    public Exporter adapter(PeftAdapter stored) {
        adapter = Optional.of(stored);
        return this;
    }

    /** Adds an adapter of PEFT to the model's weights before anything else. */
    public Exporter mergedAdapter(PeftAdapter stored) {
        mergedAdapter = Optional.of(stored);
        return this;
    }

    /** Chooses the seed of fresh adapters. */
    public Exporter seed(long choice) {
        seed = choice;
        return this;
    }

    /** Tells a listener of the progress. */
    public Exporter listener(Listener choice) {
        listener = choice;
        return this;
    }

    /**
     * Writes the artifact.
     *
     * @param target a folder that does not exist yet, or is empty
     * @return the artifact
     * @throws dev.holdfast.error.UnsupportedModelException if the model or the adapter is of a kind that is not supported
     * @throws dev.holdfast.error.MalformedFileException if a file of the model is truncated or corrupt
     * @throws dev.holdfast.error.InvalidInputException if weights, configuration and tokenizer contradict each other, or the target holds
     *     something
     * @throws InvalidConfigurationException if the adapters' target modules are not the model's, or there is to be dropout with stock kernels
     * @throws dev.holdfast.error.FileAccessException if a file cannot be read or written, such as on a full disk
     */
    public ArtifactDirectory export(Path target) {
        try (ModelSource model = ModelSource.open(source);
                StagedDirectory staged = StagedDirectory.forNew(target)) {
            Decoder decoder =
                    Decoder.of(ModelConfig.of(model.config(), model.configFile().toString()));
            ExportedModel exported = new ExportedModel(decoder, adapters(decoder));
            requireKernels(exported);
            Path directory = staged.path();
            JsonFiles.write(directory.resolve(ArtifactDirectory.CONFIG), model.config());
            TokenizerFiles.write(model, directory, decoder.config().vocabularySize());
            Map<String, FileDigest> digests = writeWeights(exported, weights(decoder, model), directory);
            ArtifactContents contents = new ArtifactContents(exported, directory);
            contents.writeGraphs(kernels);
            contents.writeManifest(
                    source.toAbsolutePath().normalize().getFileName().toString(), sourceEntry(model), digests);
            return ArtifactDirectory.trusted(staged.commit());
        }
    }

    private Optional<LowRankAdapters> adapters(Decoder decoder) {
        return adapter.map(stored -> AdapterValues.adapters(stored, decoder))
                .or(() -> lora.map(config -> LowRankAdapters.of(decoder, config)));
    }

    private void requireKernels(ExportedModel exported) {
        if (exported.hasDropout() && kernels == Kernels.STOCK) {
            throw new InvalidConfigurationException(
                    List.of("lora_dropout: expected 0 with stock kernels, which cannot repeat what they leave out"));
        }
    }

    private List<PendingTensor> weights(Decoder decoder, ModelSource model) {
        SourceWeights weights = new SourceWeights(source, model.weights());
        Optional<AdapterMerge> merge = mergedAdapter.map(stored -> AdapterMerge.of(stored, decoder));
        Counter counter = new Counter(decoder.parameters());
        return decoder.parameters().stream()
                .map(parameter -> counter.counted(merged(weights.pending(parameter), merge)))
                .toList();
    }

    private static PendingTensor merged(PendingTensor weight, Optional<AdapterMerge> merge) {
        return merge.map(adapter -> weight.converted(ElementType.FLOAT, values -> adapter.addTo(weight.name(), values)))
                .orElse(weight);
    }

    /** What is trained goes into the checkpoint, what is frozen into the file beside it. */
    private Map<String, FileDigest> writeWeights(ExportedModel exported, List<PendingTensor> weights, Path directory) {
        CheckpointWriter checkpoint = new CheckpointWriter();
        Map<String, FileDigest> digests = new TreeMap<>();
        if (exported.adapters().isPresent()) {
            CheckpointWriter base = new CheckpointWriter();
            weights.forEach(weight -> base.frozen(frozen(weight)));
            digests.putAll(base.write(BaseWeights.in(directory)));
            initialValues(exported.adapters().get()).forEach(checkpoint::trainable);
        } else {
            weights.forEach(checkpoint::trainable);
        }
        digests.putAll(checkpoint.write(directory.resolve(ArtifactDirectory.CHECKPOINT)));
        return digests;
    }

    private PendingTensor frozen(PendingTensor weight) {
        return weight.shape().rank() == 2
                ? weight.converted(
                        frozenType, values -> frozenType == ElementType.FLOAT ? values : HalfPrecision.toBfloat(values))
                : weight;
    }

    private List<PendingTensor> initialValues(LowRankAdapters adapters) {
        return adapter.map(stored -> AdapterValues.of(stored, adapters))
                .orElseGet(() -> AdapterValues.fresh(adapters, seed));
    }

    private Manifest.Source sourceEntry(ModelSource model) {
        return new Manifest.Source(source.toString(), model.ggufMetadata().isPresent() ? "gguf" : "huggingface");
    }

    /** Counts the numbers of tensors as they are written. */
    private final class Counter {
        private final long total;
        private long written;

        Counter(List<Parameter> parameters) {
            this.total = parameters.stream()
                    .mapToLong(parameter -> parameter.shape().elementCount())
                    .sum();
        }

        PendingTensor counted(PendingTensor tensor) {
            return tensor.converted(tensor.elementType(), this::count);
        }

        private HostTensor count(HostTensor values) {
            written += values.elementCount();
            listener.written(written, total);
            return values;
        }
    }
}
