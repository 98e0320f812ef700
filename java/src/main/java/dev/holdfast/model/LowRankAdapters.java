package dev.holdfast.model;

import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.tensor.Shape;
import dev.holdfast.weights.LoraConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Which linear layers of a decoder have low-rank adapters, and the parameters of these: for a layer of {@code in} inputs and {@code out}
 * outputs, {@code <layer>.lora_A.weight} [r, in] and {@code <layer>.lora_B.weight} [out, r].
 *
 * <p>Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685); scaling by 1/√r: Kalajdzievski, "A Rank
 * Stabilization Scaling Factor for Fine-Tuning with LoRA" (arXiv 2312.03732).
 *
 * <p>Thread safety: immutable.
 */
public final class LowRankAdapters {
    private final LoraConfig config;
    private final Map<String, LinearLayer> layers;

    private LowRankAdapters(LoraConfig config, Map<String, LinearLayer> layers) {
        this.config = config;
        this.layers = layers;
    }

    /**
     * The adapters that a configuration asks for.
     *
     * @throws InvalidConfigurationException naming every target module that the decoder lacks, and those that it has
     */
    public static LowRankAdapters of(Decoder decoder, LoraConfig config) {
        List<LinearLayer> all = decoder.linearLayers();
        List<String> unknown = unknownTargets(all, config);
        if (!unknown.isEmpty()) {
            throw new InvalidConfigurationException(List.of("lora_target_modules: expected " + LoraConfig.ALL_LINEAR
                    + " or names among " + String.join(", ", shortNames(all)) + ", got " + String.join(", ", unknown)));
        }
        Map<String, LinearLayer> adapted = new LinkedHashMap<>();
        all.stream()
                .filter(layer ->
                        config.targetModules().stream().anyMatch(target -> LoraConfig.matches(target, layer.name())))
                .forEach(layer -> adapted.put(layer.name(), layer));
        return new LowRankAdapters(config, adapted);
    }

    /** As above, or nothing where the decoder lacks a target module. */
    public static Optional<LowRankAdapters> find(Decoder decoder, LoraConfig config) {
        return unknownTargets(decoder.linearLayers(), config).isEmpty()
                ? Optional.of(of(decoder, config))
                : Optional.empty();
    }

    private static List<String> unknownTargets(List<LinearLayer> all, LoraConfig config) {
        return config.targetModules().stream()
                .filter(target -> all.stream().noneMatch(layer -> LoraConfig.matches(target, layer.name())))
                .toList();
    }

    /** What follows the last dot, once for all layers of a kind. */
    private static Set<String> shortNames(List<LinearLayer> layers) {
        Set<String> names = new LinkedHashSet<>();
        layers.forEach(layer -> names.add(layer.name().substring(layer.name().lastIndexOf('.') + 1)));
        return names;
    }

    /** The configuration. */
    public LoraConfig config() {
        return config;
    }

    /** The layers that have an adapter, in the order of the model. */
    public List<LinearLayer> layers() {
        return List.copyOf(layers.values());
    }

    /** The layer whose weight is this parameter, if it has an adapter. */
    public Optional<LinearLayer> ofWeight(String parameter) {
        return layers.values().stream()
                .filter(layer -> layer.weight().equals(parameter))
                .findFirst();
    }

    /** The place of a layer among those that have an adapter; none for others. */
    Optional<Integer> indexOf(String layer) {
        int index = new ArrayList<>(layers.keySet()).indexOf(layer);
        return index < 0 ? Optional.empty() : Optional.of(index);
    }

    /** All parameters of the adapters, in the order of the model. */
    public List<Parameter> parameters() {
        return layers.values().stream()
                .flatMap(layer -> Stream.of(down(layer), up(layer)))
                .toList();
    }

    /** A, from the layer's input to the rank: [r, in]. */
    public Parameter down(LinearLayer layer) {
        return new Parameter(LoraConfig.down(layer.name()), Shape.of(config.r(), layer.inputSize()));
    }

    /** B, from the rank to the layer's output: [out, r]. */
    public Parameter up(LinearLayer layer) {
        return new Parameter(LoraConfig.up(layer.name()), Shape.of(layer.outputSize(), config.r()));
    }
}
