package dev.holdfast.exporter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.artifact.GraphNames;
import dev.holdfast.artifact.TrainingForm;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.TrainingFiles;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.GoldenTensors;
import dev.holdfast.train.GradientPort;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.ModelSource;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PendingTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A tiny model of a family with what PyTorch made of it, and the graphs that Holdfast builds for it. */
final class GoldenFamily {
    static final SessionSettings SETTINGS =
            SessionSettings.defaults().withOperatorLibrary(NativeLibrary.load().operatorLibrary());

    private final Path golden;
    private final Path directory;
    private final Decoder decoder;
    private final GoldenTensors tensors;

    GoldenFamily(String family, Path directory) {
        this.golden = Path.of("onnx-artifacts/golden", family);
        this.directory = directory;
        this.tensors = GoldenTensors.read(golden.resolve("golden.safetensors"));
        try (ModelSource source = ModelSource.open(golden)) {
            this.decoder = Decoder.of(ModelConfig.of(source.config(), "config.json"));
            writeBase(source);
        }
    }

    static Stream<String> names() {
        return Stream.of("llama", "llama3", "qwen2", "qwen3", "mistral", "gpt2");
    }

    private void writeBase(ModelSource source) {
        SourceWeights weights = new SourceWeights(golden, source.weights());
        CheckpointWriter writer = new CheckpointWriter();
        decoder.parameters().forEach(parameter -> writer.trainable(weights.pending(parameter)));
        writer.write(base());
    }

    Path base() {
        return directory.resolve("checkpoint");
    }

    Decoder decoder() {
        return decoder;
    }

    GoldenTensors tensors() {
        return tensors;
    }

    JsonNode settings() {
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(golden.resolve("golden.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<GradientPort.Parameter> parameters() {
        return decoder.parameters().stream()
                .map(parameter -> new GradientPort.Parameter(parameter.name(), parameter.shape()))
                .toList();
    }

    /** Opens the training graph of a form on the base weights. */
    TrainingSession openTraining(TrainingForm form, Kernels kernels) {
        return openTraining(form, kernels, SETTINGS);
    }

    TrainingSession openTraining(TrainingForm form, Kernels kernels, SessionSettings settings) {
        Path training = directory.resolve(form + "-training.onnx");
        Path evaluation = directory.resolve(form + "-evaluation.onnx");
        ExportedModel model = ExportedModel.of(decoder);
        ModelFile.write(TrainingGraph.training(model, name -> null, form, kernels), training);
        ModelFile.write(TrainingGraph.evaluation(model, name -> null, form, kernels), evaluation);
        List<String> names =
                decoder.parameters().stream().map(parameter -> parameter.name()).toList();
        return TrainingSession.open(
                new TrainingFiles(base(), training, Optional.of(evaluation), Optional.empty(), names), settings);
    }

    /** Writes the weights of a session and opens the graph of hidden states on them. */
    InferenceSession freeze(String name, GradientPort port) {
        CheckpointWriter writer = new CheckpointWriter();
        for (int i = 0; i < port.parameters().size(); i++) {
            writer.trainable(PendingTensor.of(port.parameters().get(i).name(), port.parameter(i)));
        }
        writer.write(directory.resolve(name));
        return openHidden(name);
    }

    /** Opens the graph of hidden states on a checkpoint in the directory. */
    InferenceSession openHidden(String name) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(directory.resolve(name));
        Path model = directory.resolve(name + "-hidden.onnx");
        ModelFile.write(
                ForwardGraph.hidden(ExportedModel.of(decoder), parameter -> StoredWeight.in(checkpoint, parameter)),
                model);
        return InferenceSession.open(model, SETTINGS);
    }

    HostTensor head(String name) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(directory.resolve(name));
        return checkpoint.values(checkpoint.parameter(decoder.headName()));
    }

    /** The inputs of the supervised graph for a batch, {@code ""} or {@code "batch0."} and so on. */
    Map<String, HostTensor> batch(
            String prefix, float temperature, float distillation, float crossEntropy, int interpolation) {
        HostTensor labels = tensors.get(prefix + "labels");
        float[] weights = new float[labels.elementCount()];
        Arrays.fill(weights, 1f / weights.length);
        Map<String, HostTensor> inputs = new LinkedHashMap<>();
        inputs.put(GraphNames.INPUT_IDS, tensors.get(prefix + "input_ids"));
        inputs.put(GraphNames.RESPONSE_POSITIONS, tensors.get(prefix + "response_positions"));
        inputs.put(GraphNames.LABELS, labels);
        inputs.put(GraphNames.WEIGHTS, HostTensor.ofFloats(weights, weights.length));
        inputs.put(
                GraphNames.LOSS_COEFFICIENTS,
                HostTensor.ofFloats(new float[] {temperature, distillation, crossEntropy, 0.5f}, 4));
        inputs.put(GraphNames.LOSS_MODES, HostTensor.ofLongs(new long[] {0, interpolation, 0}, 3));
        return inputs;
    }
}
