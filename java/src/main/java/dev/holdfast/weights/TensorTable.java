package dev.holdfast.weights;

import java.util.List;
import java.util.Map;

/** The tensors of one file by name. */
final class TensorTable {
    private final InputFile file;
    private final Map<String, StoredTensor> tensors;
    private final List<String> names;

    TensorTable(InputFile file, Map<String, StoredTensor> tensors) {
        this.file = file;
        this.tensors = tensors;
        this.names = List.copyOf(tensors.keySet());
    }

    List<String> names() {
        return names;
    }

    boolean contains(String name) {
        return tensors.containsKey(name);
    }

    StoredTensor get(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(file.path() + ": no tensor " + name);
        }
        return tensor;
    }
}
