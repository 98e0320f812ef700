package dev.holdfast.exporter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.artifact.GraphNames;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.ModelConfig;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.GoldenTensors;
import dev.holdfast.weights.CheckpointWriter;
import dev.holdfast.weights.ModelSource;
import dev.holdfast.weights.OrtCheckpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The forward graph of each family against PyTorch's logits. */
class ForwardParityTest {
    /** The project's target for log-probabilities; float32 rounding of these tiny models stays far below it. */
    private static final float TOLERANCE = 1e-4f;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "llama3", "qwen2", "qwen3", "mistral", "gpt2"})
    void logitsAndHiddenStatesEqualPyTorchs(String family, @TempDir Path directory) {
        Path golden = Path.of("onnx-artifacts/golden", family);
        GoldenTensors expected = GoldenTensors.read(golden.resolve("golden.safetensors"));
        Path model = writeForwardModel(golden, directory);
        try (InferenceSession session = InferenceSession.open(model, SessionSettings.defaults())) {
            Map<String, HostTensor> outputs = session.run(
                    Map.of(GraphNames.INPUT_IDS, expected.get("input_ids")),
                    List.of(GraphNames.HIDDEN_STATES, GraphNames.LOGITS));
            expected.requireCloseInRealRows("logits", outputs.get(GraphNames.LOGITS), TOLERANCE);
            expected.requireCloseInRealRows("hidden_states", outputs.get(GraphNames.HIDDEN_STATES), TOLERANCE);
            assertThat(outputs.get(GraphNames.LOGITS).shape().rank()).isEqualTo(3);
        }
    }

    private static Path writeForwardModel(Path golden, Path directory) {
        try (ModelSource source = ModelSource.open(golden)) {
            Decoder decoder = Decoder.of(ModelConfig.of(source.config(), "config.json"));
            SourceWeights weights = new SourceWeights(golden, source.weights());
            CheckpointWriter writer = new CheckpointWriter();
            decoder.parameters().forEach(parameter -> writer.trainable(weights.pending(parameter)));
            Path file = directory.resolve("checkpoint");
            writer.write(file);
            OrtCheckpoint checkpoint = OrtCheckpoint.read(file);
            Path model = directory.resolve("forward_model.onnx");
            ModelFile.write(
                    ForwardGraph.forward(ExportedModel.of(decoder), name -> StoredWeight.in(checkpoint, name)), model);
            return model;
        }
    }
}
