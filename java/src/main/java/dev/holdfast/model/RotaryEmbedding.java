package dev.holdfast.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.UnsupportedModelException;

/**
 * The angular frequencies of a rotary position embedding: position p turns the i-th pair of a head by {@code p·frequencies[i]} radians.
 *
 * <p>Source: Su et al., "RoFormer" (arXiv 2104.09864) §3.4; the scaling of Llama 3 as in its released reference code.
 *
 * @param frequencies radians per position, [headSize / 2]
 */
public record RotaryEmbedding(float[] frequencies) {
    private static final double DEFAULT_BASE = 10_000;

    static RotaryEmbedding of(HuggingFaceConfig reader, int headSize) {
        // Configurations written since transformers 5 keep base and scaling together under rope_parameters.
        JsonNode parameters = reader.node("rope_parameters");
        JsonNode scaling = parameters.isMissingNode() ? reader.node("rope_scaling") : parameters;
        double base = parameters.path("rope_theta").asDouble(reader.real("rope_theta", DEFAULT_BASE));
        return new RotaryEmbedding(scaled(plain(base, headSize), scaling, reader));
    }

    private static double[] plain(double base, int headSize) {
        double[] frequencies = new double[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(base, -2.0 * i / headSize);
        }
        return frequencies;
    }

    private static float[] scaled(double[] frequencies, JsonNode scaling, HuggingFaceConfig reader) {
        String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
        switch (type) {
            case "default" -> {}
            case "linear" -> divide(frequencies, number(reader, scaling, "factor"));
            case "llama3" -> scaleAsLlama3(frequencies, scaling, reader);
            case "factors" -> divide(frequencies, scaling.path("factors"), reader);
            default -> throw new UnsupportedModelException(
                    reader.at("rope_scaling") + "expected default, linear or llama3, got " + type);
        }
        float[] single = new float[frequencies.length];
        for (int i = 0; i < single.length; i++) {
            single[i] = (float) frequencies[i];
        }
        return single;
    }

    private static void divide(double[] frequencies, double factor) {
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] /= factor;
        }
    }

    private static void divide(double[] frequencies, JsonNode factors, HuggingFaceConfig reader) {
        if (factors.size() != frequencies.length) {
            throw new InvalidInputException(
                    reader.at("rope_scaling") + "expected " + frequencies.length + " factors, got " + factors.size());
        }
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] /= factors.get(i).asDouble();
        }
    }

    /** Long wavelengths are stretched by the factor, short ones are left, those between are blended. */
    private static void scaleAsLlama3(double[] frequencies, JsonNode scaling, HuggingFaceConfig reader) {
        double factor = number(reader, scaling, "factor");
        double low = number(reader, scaling, "low_freq_factor");
        double high = number(reader, scaling, "high_freq_factor");
        double original =
                scaling.path("original_max_position_embeddings").asDouble(reader.real("max_position_embeddings", 8192));
        for (int i = 0; i < frequencies.length; i++) {
            double turns = original * frequencies[i] / (2 * Math.PI);
            double kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
            frequencies[i] = (1 - kept) * frequencies[i] / factor + kept * frequencies[i];
        }
    }

    private static double number(HuggingFaceConfig reader, JsonNode scaling, String key) {
        JsonNode node = scaling.path(key);
        if (!node.isNumber() || node.asDouble() <= 0) {
            throw new InvalidInputException(
                    reader.at("rope_scaling") + key + ": expected a positive number, got " + node);
        }
        return node.asDouble();
    }
}
