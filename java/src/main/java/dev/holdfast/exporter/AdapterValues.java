package dev.holdfast.exporter;

import dev.holdfast.model.Decoder;
import dev.holdfast.model.LinearLayer;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.Parameter;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.PeftAdapter;
import dev.holdfast.weights.PendingTensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The values that adapters begin with. */
final class AdapterValues {
    private AdapterValues() {}

    /**
     * Values that leave the model as it is: B zero, A uniform between −1/√in and 1/√in, which is PEFT's Kaiming initialisation.
     *
     * @param seed with the name of A it decides the values
     */
    static List<PendingTensor> fresh(LowRankAdapters adapters, long seed) {
        return adapters.layers().stream()
                .flatMap(layer -> Stream.of(
                        pending(adapters.down(layer), uniform(adapters, layer, seed)),
                        pending(adapters.up(layer), zeros(adapters.up(layer)))))
                .toList();
    }

    /** The values of an adapter of PEFT, which has exactly these layers. */
    static List<PendingTensor> of(PeftAdapter stored, LowRankAdapters adapters) {
        return adapters.parameters().stream()
                .map(parameter -> PendingTensor.of(parameter.name(), stored.value(parameter.name(), parameter.shape())))
                .toList();
    }

    /**
     * The adapters of PEFT's for a decoder.
     *
     * @throws dev.holdfast.error.InvalidConfigurationException if the decoder lacks one of its layers
     */
    static LowRankAdapters adapters(PeftAdapter stored, Decoder decoder) {
        List<String> layers = List.copyOf(stored.layers());
        LowRankAdapters byLayer = LowRankAdapters.of(decoder, stored.config().withTargetModules(layers));
        // PEFT's own words for them, where these mean the same layers: other settings may have left some out.
        return LowRankAdapters.find(decoder, stored.config())
                .filter(byName -> byName.layers().equals(byLayer.layers()))
                .orElse(byLayer);
    }

    private static PendingTensor pending(Parameter parameter, Supplier<HostTensor> values) {
        return new PendingTensor(parameter.name(), ElementType.FLOAT, parameter.shape(), values);
    }

    private static Supplier<HostTensor> zeros(Parameter parameter) {
        return () -> HostTensor.allocate(ElementType.FLOAT, parameter.shape());
    }

    private static Supplier<HostTensor> uniform(LowRankAdapters adapters, LinearLayer layer, long seed) {
        Parameter down = adapters.down(layer);
        return () -> {
            HostTensor tensor = HostTensor.allocate(ElementType.FLOAT, down.shape());
            SplittableRandom random =
                    new SplittableRandom(seed ^ (long) down.name().hashCode() << 32);
            double bound = 1 / Math.sqrt(layer.inputSize());
            for (FloatBuffer values = tensor.floats(); values.hasRemaining(); ) {
                values.put((float) (bound * (2 * random.nextDouble() - 1)));
            }
            return tensor;
        };
    }
}
