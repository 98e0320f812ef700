package dev.holdfast.weights;

import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a file holds: success, MalformedFileException or UnsupportedModelException, in bounded time and memory. */
class ReaderFuzzTest {
    private static final int ROUNDS = 100;

    @TempDir
    private Path folder;

    private static void readAll(WeightSource source) {
        try (source) {
            source.names().forEach(name -> {
                source.info(name);
                source.readFloat(name);
            });
        }
    }

    private static void readModel(Path path) {
        try (ModelSource model = ModelSource.open(path)) {
            model.config();
            readAll(model.weights());
        }
    }

    private static void readCheckpoint(Path path) {
        OrtCheckpoint checkpoint = OrtCheckpoint.read(path);
        checkpoint.trainable().forEach(checkpoint::values);
        checkpoint.frozen().forEach(checkpoint::values);
        checkpoint
                .optimizerGroups()
                .forEach(group -> group.moments().values().forEach(tensors -> tensors.forEach(checkpoint::values)));
    }

    @Test
    void safetensors() throws IOException {
        Path good = Golden.gguf("qwen2/model.safetensors");
        Fuzz.check(good, folder.resolve("f"), 1, ROUNDS, path -> readAll(SafetensorsFile.open(path)));
    }

    @Test
    void settingsOfAnAdapter() throws IOException {
        Path adapter = Path.of("onnx-artifacts/golden/qwen2/lora");
        Files.copy(adapter.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
        Path target = folder.resolve("adapter_config.json");
        Fuzz.check(adapter.resolve("adapter_config.json"), target, 8, ROUNDS, path -> PeftAdapter.read(folder));
    }

    @Test
    void valuesOfAnAdapter() throws IOException {
        Path adapter = Path.of("onnx-artifacts/golden/qwen2/lora");
        Files.copy(adapter.resolve("adapter_config.json"), folder.resolve("adapter_config.json"));
        Path target = folder.resolve("adapter_model.safetensors");
        Fuzz.check(adapter.resolve("adapter_model.safetensors"), target, 9, ROUNDS, path -> PeftAdapter.read(folder));
    }

    @Test
    void shardedModel() throws IOException {
        Files.copy(Golden.gguf("qwen3/config.json"), folder.resolve("config.json"));
        Files.copy(Golden.gguf("qwen3/model.safetensors"), folder.resolve("shard.safetensors"));
        Path index = folder.resolve("model.safetensors.index.json");
        Path good = Files.writeString(
                folder.resolve("good"),
                "{\"metadata\": {}, \"weight_map\": "
                        + "{\"model.norm.weight\": \"shard.safetensors\", \"model.layers.0.mlp.up_proj.weight\": \"shard.safetensors\"}}");
        Fuzz.check(good, index, 2, ROUNDS, path -> readModel(folder));
    }

    @Test
    void configuration() throws IOException {
        Files.copy(Golden.gguf("gpt2/model.safetensors"), folder.resolve("model.safetensors"));
        Fuzz.check(
                Golden.gguf("gpt2/config.json"), folder.resolve("config.json"), 3, ROUNDS, path -> readModel(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.gguf", "llama.gguf", "gpt2.gguf"})
    void gguf(String name) throws IOException {
        Fuzz.check(Golden.gguf(name), folder.resolve("f"), 4, ROUNDS, path -> readAll(GgufFile.open(path)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama.gguf", "qwen3.gguf", "gpt2.gguf"})
    void ggufModel(String name) throws IOException {
        Fuzz.check(Golden.gguf(name), folder.resolve("f"), 5, ROUNDS, ReaderFuzzTest::readModel);
    }

    @ParameterizedTest
    @ValueSource(longs = {Integer.MAX_VALUE, 0})
    void checkpoint(long inlineLimit) throws IOException {
        Path good = folder.resolve("checkpoint");
        Map<String, List<PendingTensor>> moments = new LinkedHashMap<>();
        moments.put("w", List.of(tensor("momentum0", 40), tensor("momentum1", 40)));
        new CheckpointWriter()
                .inlineLimit(inlineLimit)
                .trainable(tensor("w", 40))
                .trainable(tensor("v", 3))
                .frozen(tensor("f", 200))
                .optimizerGroup(new OptimizerGroup<>("group0", 1, 1, moments))
                .property("note", "text")
                .property("n", 1)
                .write(good);
        Path scratch = folder.resolve("f");
        if (inlineLimit == 0) {
            Files.copy(CheckpointFormat.dataPath(good), CheckpointFormat.dataPath(scratch));
        }
        Fuzz.check(good, scratch, 6, 3 * ROUNDS, ReaderFuzzTest::readCheckpoint);
    }

    private static PendingTensor tensor(String name, int count) {
        return PendingTensor.of(name, HostTensor.ofFloats(new float[count], count));
    }

    @ParameterizedTest
    @ValueSource(strings = {"stored.npz", "deflated.npz"})
    void npz(String name) throws IOException {
        Fuzz.check(Golden.npz(name), folder.resolve("f"), 7, 2 * ROUNDS, NpzFile::read);
    }
}
