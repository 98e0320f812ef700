package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class RealModelTest {
    @Test
    void smolLm2SpeaksHuggingFacesVocabulary() {
        Path path = SharedData.smolLm2();
        Assumptions.assumeTrue(Files.exists(path), "skipped: " + path + " is absent (set HOLDFAST_SHARED)");
        try (ModelSource model = ModelSource.open(path)) {
            ObjectNode config = model.config();
            assertThat(config.toString()).isEqualTo("{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"hidden_size\":576,"
                    + "\"intermediate_size\":1536,\"num_hidden_layers\":30,\"num_attention_heads\":9,\"num_key_value_heads\":3,"
                    + "\"head_dim\":64,\"max_position_embeddings\":8192,\"rms_norm_eps\":1.0E-5,\"hidden_act\":\"silu\","
                    + "\"attention_bias\":false,\"mlp_bias\":false,\"rope_theta\":100000.0,\"rope_scaling\":null,\"vocab_size\":49152,"
                    + "\"tie_word_embeddings\":true,\"bos_token_id\":1,\"eos_token_id\":2,\"pad_token_id\":2}");
            assertThat(model.weights().names()).hasSize(272).contains("model.embed_tokens.weight", "model.layers.29.mlp.down_proj.weight");
            assertThat(model.weights().info("model.layers.0.self_attn.k_proj.weight").shape()).isEqualTo(Shape.of(192, 576));
        }
    }
}
