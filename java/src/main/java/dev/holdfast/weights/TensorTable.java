package dev.holdfast.weights;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/** The tensors of one file by name. */
final class TensorTable {
    private final InputFile file;
    private final Map<String, ? extends TableEntry> tensors;
    private final List<String> names;

    TensorTable(InputFile file, Map<String, ? extends TableEntry> tensors) {
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

    WeightInfo info(String name) {
        return get(name).info();
    }

    HostTensor readFloat(String name) {
        return get(name).readFloat(file);
    }

    private TableEntry get(String name) {
        TableEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw MalformedFileException.of(
                    file.path(), "tensor " + name + ": expected in the file, got none; is this the whole model?");
        }
        return tensor;
    }
}
