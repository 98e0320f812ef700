package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import dev.holdfast.testing.RealModel;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** SmolLM2-135M-Instruct as a GGUF file, where the machine has it. */
class RealModelTest {
    @Test
    void smolLm2SpeaksHuggingFacesVocabulary() {
        try (ModelSource model = smolLm2()) {
            assertThat(model.config().toString())
                    .isEqualTo("{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\","
                            + "\"hidden_size\":576,"
                            + "\"intermediate_size\":1536,\"num_hidden_layers\":30,\"num_attention_heads\":9,\"num_key_value_heads\":3,"
                            + "\"head_dim\":64,\"max_position_embeddings\":8192,\"rms_norm_eps\":1.0E-5,\"hidden_act\":\"silu\","
                            + "\"attention_bias\":false,\"mlp_bias\":false,\"rope_theta\":100000.0,\"rope_scaling\":null,\"vocab_size\":49152,"
                            + "\"tie_word_embeddings\":true,\"bos_token_id\":1,\"eos_token_id\":2,\"pad_token_id\":2}");
            assertThat((List<?>) model.ggufMetadata().orElseThrow().get("tokenizer.ggml.tokens"))
                    .hasSize(49_152);
        }
    }

    @Test
    void everyValueOfSmolLm2IsFinite() {
        try (ModelSource model = smolLm2()) {
            WeightSource weights = model.weights();
            assertThat(weights.names())
                    .hasSize(272)
                    .contains("model.embed_tokens.weight", "model.layers.29.mlp.down_proj.weight");
            assertThat(weights.info("model.layers.0.self_attn.k_proj.weight").shape())
                    .isEqualTo(Shape.of(192, 576));
            weights.names().forEach(name -> assertFinite(name, weights.readFloat(name)));
        }
    }

    private static ModelSource smolLm2() {
        return ModelSource.open(RealModel.require());
    }

    private static void assertFinite(String name, HostTensor tensor) {
        FloatBuffer values = tensor.floats();
        while (values.hasRemaining()) {
            float value = values.get();
            if (!Float.isFinite(value)) {
                throw new AssertionError(name + " holds " + value);
            }
        }
    }
}
