package dev.holdfast.artifact;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.files.FileDigest;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.LoraConfig;
import java.util.List;
import java.util.Map;

/**
 * What an artifact says of itself: its model, its parameters, and the size and digest of each of its files.
 *
 * @param format always {@value #FORMAT}
 * @param formatVersion {@value #VERSION}; a reader refuses a later one
 * @param holdfastVersion the version that wrote it
 * @param model the model's sizes
 * @param source where the weights came from
 * @param parameters the parameters; those that are trained in the order in which every graph of the artifact takes them
 * @param files size and digest by path relative to the directory, with forward slashes
 * @param digest SHA-256 of the manifest without this field, see {@link ManifestDigest}; null in artifacts of an older Holdfast
 */
public record Manifest(
        String format,
        @JsonProperty("format_version") int formatVersion,
        @JsonProperty("holdfast_version") String holdfastVersion,
        Model model,
        Source source,
        List<Parameter> parameters,
        Map<String, FileDigest> files,
        @JsonInclude(JsonInclude.Include.NON_NULL) String digest) {
    /** The value of {@code format}. */
    public static final String FORMAT = "holdfast-artifact";
    /** The version that this code writes and the highest that it reads. */
    public static final int VERSION = 2;

    /**
     * The sizes of the model.
     *
     * @param name the name of the file or folder that it came from
     * @param family the Hugging Face model type, for example {@code llama}
     * @param vocabularySize V
     * @param hiddenSize H
     * @param layerCount number of blocks
     * @param maximumPositions longest sequence, in tokens
     * @param embedding the parameter of the embedding
     * @param head the parameter of the head; the embedding's where it is tied
     * @param lora the low-rank adapters, which alone are trained; null where all parameters are
     */
    public record Model(
            String name,
            String family,
            @JsonProperty("vocabulary_size") int vocabularySize,
            @JsonProperty("hidden_size") int hiddenSize,
            @JsonProperty("layer_count") int layerCount,
            @JsonProperty("maximum_positions") int maximumPositions,
            String embedding,
            String head,
            @JsonInclude(JsonInclude.Include.NON_NULL) LoraConfig lora) {}

    /**
     * Where the weights came from.
     *
     * @param path the folder or file given to the exporter
     * @param kind {@code huggingface} or {@code gguf}
     */
    public record Source(String path, String kind) {}

    /**
     * A parameter.
     *
     * @param name as in the checkpoint, or in the frozen weights
     * @param shape dimensions, outermost first
     * @param trainable whether training changes it
     */
    public record Parameter(String name, List<Long> shape, boolean trainable) {
        /** The shape as a value. */
        public Shape concreteShape() {
            return Shape.of(shape.stream().mapToLong(Long::longValue).toArray());
        }

        long count() {
            return concreteShape().elementCount();
        }
    }

    Manifest withDigest(String value) {
        return new Manifest(format, formatVersion, holdfastVersion, model, source, parameters, files, value);
    }

    /** How many numbers all parameters hold. */
    public long parameterCount() {
        return parameters.stream().mapToLong(Parameter::count).sum();
    }

    /** The parameters that training changes, in the order of every graph. */
    public List<Parameter> trainable() {
        return parameters.stream().filter(Parameter::trainable).toList();
    }

    /** How many numbers training changes. */
    public long trainableCount() {
        return trainable().stream().mapToLong(Parameter::count).sum();
    }
}
