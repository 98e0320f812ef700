package dev.holdfast.weights;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.HoldfastException;
import java.nio.file.Path;

/** Opens a GGUF file as a model in Hugging Face's vocabulary. */
final class GgufModel {
    private GgufModel() {}

    static ModelSource open(Path path) {
        GgufFile file = GgufFile.open(path);
        try {
            GgufMetadata metadata = new GgufMetadata(path, file.metadata());
            ModelArchitecture architecture = ModelArchitecture.ofGgufName(path, metadata.architecture());
            ObjectNode config = GgufConfig.of(file, metadata, architecture);
            WeightSource weights =
                    new RenamedWeights(path, file, GgufTensorNames.origins(file, metadata, architecture));
            return new ModelSource(path, config, weights, file.metadata());
        } catch (HoldfastException e) {
            file.close();
            throw e;
        }
    }
}
