package dev.holdfast.weights;

import dev.holdfast.error.UnsupportedModelException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The model architectures that can be read. */
enum ModelArchitecture {
    LLAMA("LlamaForCausalLM", "llama", false),
    MISTRAL("MistralForCausalLM", "mistral", false),
    QWEN2("Qwen2ForCausalLM", "qwen2", false),
    QWEN3("Qwen3ForCausalLM", "qwen3", false),
    GPT2("GPT2LMHeadModel", "gpt2", true);

    private final String className;
    private final String modelType;
    private final boolean tiedByDefault;

    ModelArchitecture(String className, String modelType, boolean tiedByDefault) {
        this.className = className;
        this.modelType = modelType;
        this.tiedByDefault = tiedByDefault;
    }

    /** The architecture with this name of a class in Hugging Face's transformers. */
    static ModelArchitecture ofClassName(Path where, String className) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.className.equals(className))
                .findFirst()
                .orElseThrow(() -> unsupported(where, className));
    }

    /** The architecture with this {@code model_type}. */
    static ModelArchitecture ofModelType(Path where, String modelType) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.modelType.equals(modelType))
                .findFirst()
                .orElseThrow(() -> unsupported(where, "model_type " + modelType));
    }

    /** The architecture with this name in a GGUF file; Mistral's models go by the name of Llama there. */
    static ModelArchitecture ofGgufName(Path where, String name) {
        return Arrays.stream(values())
                .filter(architecture -> architecture != MISTRAL && architecture.modelType.equals(name))
                .findFirst()
                .orElseThrow(() -> unsupported(where, name));
    }

    private static UnsupportedModelException unsupported(Path where, String got) {
        String supported =
                Arrays.stream(values()).map(ModelArchitecture::className).collect(Collectors.joining(", "));
        return new UnsupportedModelException(
                where + ": model architecture: expected one of " + supported + ", got " + got);
    }

    /** For example {@code LlamaForCausalLM}. */
    String className() {
        return className;
    }

    /** For example {@code llama}. */
    String modelType() {
        return modelType;
    }

    /** What {@code tie_word_embeddings} means where a configuration does not have it. */
    boolean tiedByDefault() {
        return tiedByDefault;
    }
}
