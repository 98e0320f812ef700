package dev.holdfast.weights;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;

/** The tensors of one safetensors file. */
public final class SafetensorsFile implements WeightSource {
    private final InputFile file;
    private final TensorTable tensors;

    private SafetensorsFile(InputFile file) {
        this.file = file;
        this.tensors = new TensorTable(file, SafetensorsHeader.read(file));
    }

    /**
     * Opens a file and reads its header.
     *
     * <p>A tensor of a type other than F32, F16 and BF16 is listed; only asking for its values is refused.
     *
     * @throws dev.holdfast.error.FileAccessException if the file cannot be read
     * @throws dev.holdfast.error.MalformedFileException if it is truncated, corrupt or no safetensors file
     * @throws dev.holdfast.error.UnsupportedModelException if a tensor's type is unknown
     */
    public static SafetensorsFile open(Path path) {
        InputFile file = InputFile.open(path);
        try {
            return new SafetensorsFile(file);
        } catch (HoldfastException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public List<String> names() {
        return tensors.names();
    }

    @Override
    public WeightInfo info(String name) {
        return tensors.info(name);
    }

    @Override
    public HostTensor readFloat(String name) {
        return tensors.readFloat(name);
    }

    @Override
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    @Override
    public void close() {
        file.close();
    }
}
