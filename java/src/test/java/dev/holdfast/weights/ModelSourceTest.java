package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSourceTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gpt2"})
    void aGgufFileHasTheParametersOfTheFolderItWasMadeFrom(String family) {
        try (ModelSource original = ModelSource.open(Golden.gguf(family));
                ModelSource converted = ModelSource.open(Golden.gguf(family + ".gguf"))) {
            WeightSource expected = original.weights();
            WeightSource got = converted.weights();
            assertThat(got.names()).containsExactlyInAnyOrderElementsOf(expected.names());
            for (String name : expected.names()) {
                assertThat(got.info(name).shape())
                        .as(name)
                        .isEqualTo(expected.info(name).shape());
                assertThat(got.readFloat(name).shape())
                        .as(name)
                        .isEqualTo(expected.info(name).shape());
                assertThat(got.readFloat(name).toFloatArray())
                        .as(name)
                        .containsExactly(expected.readFloat(name).toFloatArray());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gpt2"})
    void aGgufFileHasTheConfigurationOfTheFolderItWasMadeFrom(String family) {
        try (ModelSource original = ModelSource.open(Golden.gguf(family));
                ModelSource converted = ModelSource.open(Golden.gguf(family + ".gguf"))) {
            ObjectNode got = converted.config();
            for (Map.Entry<String, JsonNode> property : original.config().properties()) {
                if (!property.getKey().equals("rope_scaling")) {
                    assertThat(got.get(property.getKey())).as(property.getKey()).isEqualTo(property.getValue());
                }
            }
        }
    }

    /** Llama 3's scaling for frequencies 500^(−i/4): the context of 32 lies 5.1, 1.1, 0.2 and 0.05 wavelengths long. */
    @Test
    void storedRotaryFactorsAreHandedOver() {
        try (ModelSource model = ModelSource.open(Golden.gguf("llama.gguf"))) {
            JsonNode scaling = model.config().get("rope_scaling");
            assertThat(scaling.get("rope_type").asText()).isEqualTo("factors");
            double[] factors = StreamSupport.stream(scaling.get("factors").spliterator(), false)
                    .mapToDouble(JsonNode::asDouble)
                    .toArray();
            double smooth = (32 / (2 * Math.PI) * Math.pow(500, -0.25) - 1) / 3;
            assertThat(factors).hasSize(4);
            assertThat(factors[0]).isEqualTo(1);
            // The file holds float32: half a unit in the last place of a number below 8, and the rounding of what it
            // was computed from.
            assertThat(factors[1]).isCloseTo(1 / ((1 - smooth) / 8 + smooth), within(1e-6));
            assertThat(factors[2]).isEqualTo(8);
            assertThat(factors[3]).isEqualTo(8);
        }
    }

    @Test
    void theMetadataOfAGgufFileIsAtHandForTheTokenizer() {
        try (ModelSource model = ModelSource.open(Golden.gguf("llama.gguf"));
                ModelSource other = ModelSource.open(Golden.gguf("llama"))) {
            assertThat(model.ggufMetadata().orElseThrow()).containsKey("tokenizer.ggml.bos_token_id");
            assertThat(other.ggufMetadata()).isEmpty();
        }
    }

    @Test
    void aShardedFolderIsTheSameModel() throws IOException {
        Path sharded = shard(Golden.gguf("qwen2"), 3);
        try (ModelSource expected = ModelSource.open(Golden.gguf("qwen2"));
                ModelSource got = ModelSource.open(sharded)) {
            assertThat(got.weights().names())
                    .containsExactlyInAnyOrderElementsOf(expected.weights().names());
            for (String name : expected.weights().names()) {
                HostTensor tensor = got.weights().readFloat(name);
                assertThat(tensor.toFloatArray())
                        .containsExactly(expected.weights().readFloat(name).toFloatArray());
            }
        }
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        Path sharded = shard(Golden.gguf("qwen2"), 2);
        Files.delete(sharded.resolve("model-1.safetensors"));

        assertThatThrownBy(() -> ModelSource.open(sharded))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("model.safetensors.index.json")
                .hasMessageContaining("model-1.safetensors");
    }

    @Test
    void anIndexThatLeadsOutOfItsFolderIsRefused() throws IOException {
        Path sharded = shard(Golden.gguf("qwen2"), 1);
        Path index = sharded.resolve("model.safetensors.index.json");
        Files.writeString(index, Files.readString(index).replace("model-0.", "../model-0."));

        assertThatThrownBy(() -> ModelSource.open(sharded))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("beside it");
    }

    private Path shard(Path model, int count) throws IOException {
        Path target = Files.createDirectories(folder.resolve("sharded"));
        Files.copy(model.resolve("config.json"), target.resolve("config.json"));
        ObjectNode index = StrictJson.newObject();
        try (WeightSource source = SafetensorsFile.open(model.resolve("model.safetensors"))) {
            for (int shard = 0; shard < count; shard++) {
                List<PendingTensor> tensors = new ArrayList<>();
                for (int i = shard; i < source.names().size(); i += count) {
                    tensors.add(PendingTensor.of(source, source.names().get(i)));
                    index.withObject("weight_map").put(source.names().get(i), "model-" + shard + ".safetensors");
                }
                SafetensorsWriter.write(
                        target.resolve("model-" + shard + ".safetensors"), Map.of("format", "pt"), tensors);
            }
        }
        Files.write(target.resolve("model.safetensors.index.json"), StrictJson.write(index));
        return target;
    }

    @Test
    void theFirstGpt2FilesAreRead() throws IOException {
        Path old = folder(
                Files.readString(Golden.gguf("gpt2/config.json")).replace("\"tie_word_embeddings\": true,", ""),
                PendingTensor.of("wte.weight", HostTensor.ofFloats(new float[] {1}, 1)),
                PendingTensor.of("h.0.attn.bias", HostTensor.ofFloats(new float[] {1}, 1)),
                PendingTensor.of("h.0.attn.c_attn.bias", HostTensor.ofFloats(new float[] {2}, 1)),
                PendingTensor.of("lm_head.weight", HostTensor.ofFloats(new float[] {1}, 1)));
        try (ModelSource model = ModelSource.open(old)) {
            assertThat(model.weights().names())
                    .containsExactly("transformer.wte.weight", "transformer.h.0.attn.c_attn.bias");
            assertThat(model.weights()
                            .readFloat("transformer.h.0.attn.c_attn.bias")
                            .toFloatArray())
                    .containsExactly(2);
        }
    }

    @Test
    void aSecondHeadOfATiedModelIsLeftOutAndThatOfAnUntiedOneKept() throws IOException {
        PendingTensor head = PendingTensor.of("lm_head.weight", HostTensor.ofFloats(new float[] {1}, 1));
        Path model = folder("{\"architectures\": [\"LlamaForCausalLM\"], \"tie_word_embeddings\": true}", head);
        try (ModelSource tied = ModelSource.open(model)) {
            assertThat(tied.weights().names()).isEmpty();
        }
        Files.writeString(model.resolve("config.json"), "{\"architectures\": [\"LlamaForCausalLM\"]}");
        try (ModelSource untied = ModelSource.open(model)) {
            assertThat(untied.weights().names()).containsExactly("lm_head.weight");
        }
    }

    @Test
    void aFoldersConfigurationComesUnchanged() throws IOException {
        String config = "{\"architectures\":[\"MistralForCausalLM\"],\"unknown\":{\"key\":[1,2.50]}}";
        try (ModelSource model = ModelSource.open(folder(config))) {
            assertThat(model.config()).isEqualTo(StrictJson.parse(folder, 0, config.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Test
    void anUnsupportedArchitectureIsToldWhatIsSupported() throws IOException {
        Path model = folder("{\"architectures\": [\"MambaForCausalLM\"]}");
        Path gguf = new GgufBytes().text("general.architecture", "mamba").writeTo(folder.resolve("mamba.gguf"));

        String supported = "expected one of LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, "
                + "GPT2LMHeadModel, got ";
        assertThatThrownBy(() -> ModelSource.open(model))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(supported + "Mamba");
        assertThatThrownBy(() -> ModelSource.open(gguf))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(supported + "mamba");
    }

    @Test
    void whatIsNotAModelIsNamed() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Path weightless = folder("{\"architectures\": [\"LlamaForCausalLM\"]}");
        Files.delete(weightless.resolve("model.safetensors"));

        assertThatThrownBy(() -> ModelSource.open(empty))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("config.json");
        assertThatThrownBy(() -> ModelSource.open(weightless))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("safetensors");
        assertThatThrownBy(() -> ModelSource.open(folder.resolve("none")))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining("no such");
    }

    @Test
    void aGgufModelThatLacksAnAttributeNamesIt() {
        Path gguf = new GgufBytes()
                .text("general.architecture", "llama")
                .number("llama.attention.head_count", 2)
                .number("llama.embedding_length", 8)
                .tensor("token_embd.weight", 0, 8, 0)
                .writeTo(folder.resolve("part.gguf"));

        assertThatThrownBy(() -> ModelSource.open(gguf))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("llama.feed_forward_length");
    }

    @Test
    void quantisedFoldersAndPartsOfAGgufModelAreRefused() throws IOException {
        Path quantised = folder(
                "{\"architectures\": [\"LlamaForCausalLM\"], \"quantization_config\": {\"quant_method\": \"gptq\"}}");
        Path part = new GgufBytes()
                .text("general.architecture", "llama")
                .number("split.count", 2)
                .writeTo(folder.resolve("part.gguf"));

        assertThatThrownBy(() -> ModelSource.open(quantised))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("gptq");
        assertThatThrownBy(() -> ModelSource.open(part))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("2 parts");
    }

    @Test
    void mixturesOfExpertsAreRefused() {
        Path experts = new GgufBytes()
                .text("general.architecture", "llama")
                .number("llama.expert_count", 8)
                .writeTo(folder.resolve("experts.gguf"));
        assertThatThrownBy(() -> ModelSource.open(experts))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("8 experts");
    }

    private Path folder(String config, PendingTensor... tensors) throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), config);
        SafetensorsWriter.write(model.resolve("model.safetensors"), Map.of(), Arrays.asList(tensors));
        return model;
    }
}
