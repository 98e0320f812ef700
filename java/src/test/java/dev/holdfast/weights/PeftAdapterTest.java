package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters that PEFT wrote, and what of PEFT's is refused rather than computed otherwise. */
class PeftAdapterTest {
    private static final Path GOLDEN = Path.of("onnx-artifacts/golden/llama/lora");
    private static final String LAYER = "model.layers.0.self_attn.q_proj";

    @TempDir
    private Path folder;

    private final ObjectMapper mapper = new ObjectMapper();
    private ObjectNode config;

    @BeforeEach
    void copyAdapter() throws IOException {
        Files.copy(GOLDEN.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
        config = (ObjectNode)
                mapper.readTree(GOLDEN.resolve("adapter_config.json").toFile());
    }

    private PeftAdapter read() throws IOException {
        mapper.writeValue(folder.resolve("adapter_config.json").toFile(), config);
        return PeftAdapter.read(folder);
    }

    @Test
    void readsSettingsLayersAndValues() throws IOException {
        PeftAdapter adapter = read();
        assertThat(adapter.config()).isEqualTo(new LoraConfig(4, 8, 0, List.of("q_proj", "v_proj"), false));
        assertThat(adapter.config().scale()).isEqualTo(2);
        assertThat(adapter.layers()).contains(LAYER).allMatch(name -> name.matches(".*\\.[qv]_proj"));
        assertThat(adapter.value(LoraConfig.down(LAYER), Shape.of(4, 32)).elementCount())
                .isEqualTo(128);
        assertThatThrownBy(() -> adapter.value(LoraConfig.down(LAYER), Shape.of(4, 33)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("expected shape [4, 33], got [4, 32]; is the adapter of another model?");
        assertThatThrownBy(() -> adapter.value(LoraConfig.down("other"), Shape.of(4, 32)))
                .isInstanceOf(MalformedFileException.class);
    }

    @Test
    void aRankStabilisedScaleDividesByTheRoot() throws IOException {
        config.put("use_rslora", true);
        assertThat(read().config().scale()).isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "peft_type | \"LOHA\"",
                "bias | \"all\"",
                "use_dora | true",
                "lora_bias | true",
                "rank_pattern | {\"q_proj\": 8}",
                "alpha_pattern | {\"q_proj\": 8}",
                "modules_to_save | [\"lm_head\"]",
                "trainable_token_indices | [1]",
                "layer_replication | [[0, 1]]",
                "init_lora_weights | \"pissa\"",
                "target_modules | \".*_proj\""
            })
    void whatWouldChangeTheComputationIsRefused(String key, String value) throws IOException {
        config.set(key, mapper.readTree(value));
        assertThatThrownBy(this::read)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("adapter_config.json: " + key + ": expected ")
                .hasMessageContaining("got " + mapper.readTree(value));
    }

    @Test
    void impossibleSettingsAreNamed() throws IOException {
        config.put("r", 0);
        assertThatThrownBy(this::read)
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("r: expected at least 1, got 0");
    }

    @Test
    void tensorsThatBelongToNoLinearLayerAreRefused() throws IOException {
        HostTensor values = HostTensor.ofFloats(new float[2], 2);
        SafetensorsWriter.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(),
                List.of(PendingTensor.of("base_model.model.model.embed_tokens.lora_embedding_A", values)));
        assertThatThrownBy(this::read)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("lora_embedding_A: expected base_model.model.LAYER.lora_A.weight");
    }
}
