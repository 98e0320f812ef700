package dev.holdfast.exporter;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.CheckpointBinding;
import dev.holdfast.artifact.JsonFiles;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.OptimizerGraph;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.ModelSource;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PendingTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

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
     * @throws dev.holdfast.error.UnsupportedModelException if the model is of a kind that is not supported
     * @throws dev.holdfast.error.MalformedFileException if a file of the model is truncated or corrupt
     * @throws dev.holdfast.error.InvalidInputException if weights, configuration and tokenizer contradict each other, or the target holds
     *     something
     * @throws FileAccessException if a file cannot be read or written, such as on a full disk
     */
    public ArtifactDirectory export(Path target) {
        try (ModelSource model = ModelSource.open(source);
                StagedDirectory staged = StagedDirectory.forNew(target)) {
            Decoder decoder =
                    Decoder.of(ModelConfig.of(model.config(), model.configFile().toString()));
            Path directory = staged.path();
            JsonFiles.write(directory.resolve(ArtifactDirectory.CONFIG), model.config());
            TokenizerFiles.write(model, directory, decoder.config().vocabularySize());
            writeCheckpoint(decoder, model, directory.resolve(ArtifactDirectory.CHECKPOINT));
            writeGraphs(decoder, directory);
            ArtifactDirectory.writeManifest(
                    directory,
                    modelEntry(decoder.config(), decoder),
                    sourceEntry(model),
                    parameters(decoder),
                    version());
            return ArtifactDirectory.trusted(staged.commit());
        }
    }

    private void writeCheckpoint(Decoder decoder, ModelSource model, Path file) {
        SourceWeights weights = new SourceWeights(source, model.weights());
        List<PendingTensor> tensors = new ArrayList<>();
        decoder.parameters().forEach(parameter -> tensors.add(weights.pending(parameter)));
        CheckpointWriter writer = new CheckpointWriter();
        Counter counter = new Counter(tensors);
        tensors.forEach(tensor -> writer.trainable(counter.counted(tensor)));
        writer.write(file);
    }

    private void writeGraphs(Decoder decoder, Path directory) {
        for (TrainingForm form : TrainingForm.values()) {
            Path folder = createFolder(directory.resolve(form.folder()));
            ModelFile.write(
                    TrainingGraph.training(decoder, form, kernels), folder.resolve(ArtifactDirectory.TRAINING_MODEL));
            ModelFile.write(
                    TrainingGraph.evaluation(decoder, form, kernels), folder.resolve(ArtifactDirectory.EVAL_MODEL));
        }
        ModelFile.write(OptimizerGraph.DEFAULT.graph(), directory.resolve(ArtifactDirectory.OPTIMIZER_MODEL));
        OrtCheckpoint checkpoint = OrtCheckpoint.read(directory.resolve(ArtifactDirectory.CHECKPOINT));
        Function<String, Initializer.External> weights = name -> CheckpointBinding.locate(checkpoint, name);
        Graph forward = ForwardGraph.forward(decoder, weights);
        ModelFile.write(forward, directory.resolve(ArtifactDirectory.FORWARD_MODEL));
        ModelFile.write(ForwardGraph.hidden(decoder, weights), directory.resolve(ArtifactDirectory.HIDDEN_MODEL));
        ModelFile.write(DriftGraph.graph(), directory.resolve(ArtifactDirectory.DRIFT_MODEL));
    }

    private static Path createFolder(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw FileAccessException.writing(folder, e);
        }
    }

    private Manifest.Model modelEntry(ModelConfig config, Decoder decoder) {
        return new Manifest.Model(
                source.toAbsolutePath().normalize().getFileName().toString(),
                config.family().modelType(),
                config.vocabularySize(),
                config.hiddenSize(),
                config.layerCount(),
                config.maximumPositions(),
                decoder.embeddingName(),
                decoder.headName());
    }

    private Manifest.Source sourceEntry(ModelSource model) {
        return new Manifest.Source(source.toString(), model.ggufMetadata().isPresent() ? "gguf" : "huggingface");
    }

    private static List<Manifest.Parameter> parameters(Decoder decoder) {
        return decoder.parameters().stream().map(Exporter::entry).toList();
    }

    private static Manifest.Parameter entry(Parameter parameter) {
        List<Long> shape = Arrays.stream(parameter.shape().toArray()).boxed().toList();
        return new Manifest.Parameter(parameter.name(), shape, true);
    }

    private static String version() {
        String version = Exporter.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    /** Counts the numbers of tensors as they are written. */
    private final class Counter {
        private final long total;
        private long written;

        Counter(List<PendingTensor> tensors) {
            this.total = tensors.stream()
                    .mapToLong(tensor -> tensor.shape().elementCount())
                    .sum();
        }

        PendingTensor counted(PendingTensor tensor) {
            return new PendingTensor(tensor.name(), tensor.elementType(), tensor.shape(), () -> produce(tensor));
        }

        private HostTensor produce(PendingTensor tensor) {
            HostTensor values = tensor.values().get();
            written += values.elementCount();
            listener.written(written, total);
            return values;
        }
    }
}
