package dev.holdfast.exporter;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.BaseWeights;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.artifact.OptimizerGraph;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.files.FileDigest;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** What every artifact has beside its weights and its tokenizer: graphs and manifest. */
final class ArtifactContents {
    private final ExportedModel model;
    private final Path directory;

    ArtifactContents(ExportedModel model, Path directory) {
        this.model = model;
        this.directory = directory;
    }

    /** Writes all graphs; the weights are in their places. */
    void writeGraphs(Kernels kernels) {
        OrtCheckpoint checkpoint = BaseWeights.readOver(directory);
        Function<String, StoredWeight> weights = name -> StoredWeight.in(checkpoint, name);
        for (TrainingForm form : TrainingForm.values()) {
            ModelFile.write(
                    TrainingGraph.training(model, weights, form, kernels),
                    form.in(directory, ArtifactDirectory.TRAINING_MODEL));
            ModelFile.write(
                    TrainingGraph.evaluation(model, weights, form, kernels),
                    form.in(directory, ArtifactDirectory.EVAL_MODEL));
        }
        ModelFile.write(OptimizerGraph.DEFAULT.graph(), directory.resolve(ArtifactDirectory.OPTIMIZER_MODEL));
        ModelFile.write(ForwardGraph.forward(model, weights), directory.resolve(ArtifactDirectory.FORWARD_MODEL));
        ModelFile.write(ForwardGraph.hidden(model, weights), directory.resolve(ArtifactDirectory.HIDDEN_MODEL));
        ModelFile.write(DriftGraph.graph(), directory.resolve(ArtifactDirectory.DRIFT_MODEL));
    }

    /**
     * Writes the manifest; all other files are in their places.
     *
     * @param name of the model
     * @param known digests of files that need not be read for them
     */
    void writeManifest(String name, Manifest.Source source, Map<String, FileDigest> known) {
        ArtifactDirectory.writeManifest(directory, modelEntry(name), source, parameters(), known, version());
    }

    private Manifest.Model modelEntry(String name) {
        Decoder decoder = model.decoder();
        return new Manifest.Model(
                name,
                decoder.config().family().modelType(),
                decoder.config().vocabularySize(),
                decoder.config().hiddenSize(),
                decoder.config().layerCount(),
                decoder.config().maximumPositions(),
                decoder.embeddingName(),
                decoder.headName(),
                model.adapters().map(LowRankAdapters::config).orElse(null));
    }

    private List<Manifest.Parameter> parameters() {
        return Stream.concat(
                        model.trained().stream().map(parameter -> entry(parameter, true)),
                        model.frozen().stream().map(parameter -> entry(parameter, false)))
                .toList();
    }

    private static Manifest.Parameter entry(Parameter parameter, boolean trainable) {
        List<Long> shape = Arrays.stream(parameter.shape().toArray()).boxed().toList();
        return new Manifest.Parameter(parameter.name(), shape, trainable);
    }

    private static String version() {
        String version = Exporter.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
