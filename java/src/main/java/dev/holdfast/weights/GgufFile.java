package dev.holdfast.weights;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file, version 2 or 3: metadata, and tensors under GGUF's own names and in its own layout.
 *
 * <p>Dimensions are given outermost first, as everywhere in Holdfast. For Hugging Face's names and layout use {@link ModelSource}.
 */
public final class GgufFile implements WeightSource {
    private final InputFile file;
    private final Map<String, Object> metadata;
    private final TensorTable tensors;

    private GgufFile(InputFile file, GgufHeader header) {
        this.file = file;
        this.metadata = header.metadata();
        this.tensors = new TensorTable(file, header.tensors());
    }

    /**
     * Opens a file and reads everything but the tensors' values.
     *
     * @throws dev.holdfast.error.FileAccessException if the file cannot be read
     * @throws dev.holdfast.error.MalformedFileException if it is truncated, corrupt or no GGUF file
     * @throws dev.holdfast.error.UnsupportedModelException if a tensor has a type that cannot be dequantised
     */
    public static GgufFile open(Path path) {
        InputFile file = InputFile.open(path);
        try {
            return new GgufFile(file, GgufHeader.read(file));
        } catch (HoldfastException e) {
            file.close();
            throw e;
        }
    }

    /**
     * The metadata in the order of the file, not modifiable: strings are {@link String}, all integers {@link Long} (those of 64 bits
     * without sign keep their bits), floats {@link Double}, booleans {@link Boolean} and arrays {@link List} of these.
     */
    public Map<String, Object> metadata() {
        return metadata;
    }

    /** Where the file is. */
    public Path path() {
        return file.path();
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
