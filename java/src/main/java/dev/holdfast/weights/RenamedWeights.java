package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The tensors of another source under other names and perhaps rearranged. */
final class RenamedWeights implements WeightSource {
    /** Where a parameter comes from. */
    record Origin(String storedName, Rearrangement rearrangement) {}

    private final Path path;
    private final WeightSource stored;
    private final Map<String, Origin> origins;

    RenamedWeights(Path path, WeightSource stored, Map<String, Origin> origins) {
        this.path = path;
        this.stored = stored;
        this.origins = origins;
    }

    private Origin origin(String name) {
        Origin origin = origins.get(name);
        if (origin == null) {
            throw MalformedFileException.of(
                    path,
                    "parameter " + name + ": expected in the model, got none; does config.json match the weights?");
        }
        return origin;
    }

    @Override
    public List<String> names() {
        return List.copyOf(origins.keySet());
    }

    @Override
    public WeightInfo info(String name) {
        Origin origin = origin(name);
        WeightInfo info = stored.info(origin.storedName);
        return new WeightInfo(name, info.format(), origin.rearrangement.shape(info.shape()));
    }

    @Override
    public HostTensor readFloat(String name) {
        Origin origin = origin(name);
        return origin.rearrangement.apply(stored.readFloat(origin.storedName));
    }

    @Override
    public boolean contains(String name) {
        return origins.containsKey(name);
    }

    @Override
    public void close() {
        stored.close();
    }
}
