package dev.holdfast.model;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The decoder families, by the names that Hugging Face configurations use. */
public enum Family {
    LLAMA("LlamaForCausalLM", "llama"),
    MISTRAL("MistralForCausalLM", "mistral"),
    QWEN2("Qwen2ForCausalLM", "qwen2"),
    QWEN3("Qwen3ForCausalLM", "qwen3"),
    GPT2("GPT2LMHeadModel", "gpt2");

    private final String architecture;
    private final String modelType;

    Family(String architecture, String modelType) {
        this.architecture = architecture;
        this.modelType = modelType;
    }

    /** The class name in {@code architectures}, for example {@code LlamaForCausalLM}. */
    public String architecture() {
        return architecture;
    }

    /** The {@code model_type}, for example {@code llama}; onnxruntime-genai uses the same names. */
    public String modelType() {
        return modelType;
    }

    /** The family with this architecture name. */
    static Optional<Family> ofArchitecture(String architecture) {
        return Arrays.stream(values())
                .filter(family -> family.architecture.equals(architecture))
                .findFirst();
    }

    /** The family with this model type. */
    static Optional<Family> ofModelType(String modelType) {
        return Arrays.stream(values())
                .filter(family -> family.modelType.equals(modelType))
                .findFirst();
    }

    /** All architecture names, for messages. */
    public static String supported() {
        return Arrays.stream(values()).map(Family::architecture).collect(Collectors.joining(", "));
    }
}
