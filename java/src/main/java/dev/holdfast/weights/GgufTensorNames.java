package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.Shape;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds for each tensor of a GGUF file the parameter that it was made from.
 *
 * <p>Source: llama.cpp, {@code gguf-py/gguf/tensor_mapping.py} and {@code convert_hf_to_gguf.py}.
 */
final class GgufTensorNames {
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,6})\\.([a-z_]+)\\.(weight|bias)");
    private static final Map<String, String> LLAMA_OUTER = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");
    private static final Map<String, String> LLAMA_BLOCK = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");
    private static final Map<String, String> QWEN3_BLOCK = extended(
            LLAMA_BLOCK,
            Map.of(
                    "attn_q_norm", "self_attn.q_norm",
                    "attn_k_norm", "self_attn.k_norm"));
    private static final Map<String, String> GPT2_OUTER = Map.of(
            "token_embd.weight", "transformer.wte.weight",
            "position_embd.weight", "transformer.wpe.weight",
            "output_norm.weight", "transformer.ln_f.weight",
            "output_norm.bias", "transformer.ln_f.bias",
            "output.weight", "lm_head.weight");
    private static final Map<String, String> GPT2_BLOCK = Map.of(
            "attn_norm", "ln_1",
            "attn_qkv", "attn.c_attn",
            "attn_output", "attn.c_proj",
            "ffn_norm", "ln_2",
            "ffn_up", "mlp.c_fc",
            "ffn_down", "mlp.c_proj");

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final ModelArchitecture architecture;

    private GgufTensorNames(GgufFile file, GgufMetadata metadata, ModelArchitecture architecture) {
        this.file = file;
        this.metadata = metadata;
        this.architecture = architecture;
    }

    static Map<String, RenamedWeights.Origin> origins(
            GgufFile file, GgufMetadata metadata, ModelArchitecture architecture) {
        return new GgufTensorNames(file, metadata, architecture).origins();
    }

    private static Map<String, String> extended(Map<String, String> names, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(names);
        all.putAll(more);
        return Map.copyOf(all);
    }

    private Map<String, RenamedWeights.Origin> origins() {
        Map<String, RenamedWeights.Origin> origins = new LinkedHashMap<>();
        for (String storedName : file.names()) {
            if (!isDerived(storedName)) {
                origins.put(
                        parameterName(storedName), new RenamedWeights.Origin(storedName, rearrangement(storedName)));
            }
        }
        return origins;
    }

    /** Rotary frequencies belong to the configuration. */
    private static boolean isDerived(String storedName) {
        return storedName.equals("rope_freqs.weight")
                || storedName.endsWith(".attn_rot_embd.weight")
                || storedName.endsWith(".rope_freqs.weight");
    }

    private String parameterName(String storedName) {
        boolean gpt2 = architecture == ModelArchitecture.GPT2;
        Matcher block = BLOCK.matcher(storedName);
        if (block.matches()) {
            String part = blockNames().get(block.group(2));
            if (part != null) {
                return (gpt2 ? "transformer.h." : "model.layers.") + block.group(1) + "." + part + "." + block.group(3);
            }
        }
        String outer = (gpt2 ? GPT2_OUTER : LLAMA_OUTER).get(storedName);
        if (outer == null) {
            throw new UnsupportedModelException(
                    file.path() + ": tensor " + storedName + ": expected one that models of architecture "
                            + metadata.architecture() + " have, got one with no known meaning");
        }
        return outer;
    }

    private Map<String, String> blockNames() {
        return switch (architecture) {
            case GPT2 -> GPT2_BLOCK;
            case QWEN3 -> QWEN3_BLOCK;
            case LLAMA, MISTRAL, QWEN2 -> LLAMA_BLOCK;
        };
    }

    private Rearrangement rearrangement(String storedName) {
        Matcher block = BLOCK.matcher(storedName);
        if (!block.matches()) {
            return new Rearrangement.Identity();
        }
        String part = block.group(2);
        if (architecture == ModelArchitecture.LLAMA && part.equals("attn_q")) {
            return headRows(storedName, metadata.requiredWhole(".attention.head_count"));
        }
        if (architecture == ModelArchitecture.LLAMA && part.equals("attn_k")) {
            int headCount = metadata.requiredWhole(".attention.head_count");
            return headRows(
                    storedName, metadata.whole(".attention.head_count_kv").orElse(headCount));
        }
        // GPT-2's Conv1D keeps its matrices as [in, out]; GGUF has [out, in].
        boolean conv1d =
                architecture == ModelArchitecture.GPT2 && block.group(3).equals("weight") && !part.endsWith("_norm");
        return conv1d ? transpose(storedName) : new Rearrangement.Identity();
    }

    private Rearrangement transpose(String storedName) {
        Shape shape = file.info(storedName).shape();
        if (shape.rank() != 2) {
            throw MalformedFileException.of(file.path(), "tensor " + storedName + ": expected a matrix, got " + shape);
        }
        return new Rearrangement.Transpose();
    }

    private Rearrangement headRows(String storedName, int headCount) {
        long rows = file.info(storedName).shape().dimension(0);
        if (headCount == 0 || rows == 0 || rows % (2L * headCount) != 0) {
            throw MalformedFileException.of(
                    file.path(),
                    "tensor " + storedName + ": expected rows for " + headCount + " heads of even size, got " + rows);
        }
        return new Rearrangement.HeadRows(headCount);
    }
}
