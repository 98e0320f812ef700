package dev.holdfast.weights;

import dev.holdfast.tensor.HostTensor;
import java.util.List;

/**
 * The parameters of a model, read one at a time.
 *
 * <p>Ownership: a tensor that was read is the caller's and outlives the source. Thread safety: reading from several threads is safe.
 */
public interface WeightSource extends AutoCloseable {
    /** The names of all parameters, in the order of the file. */
    List<String> names();

    /**
     * What is known of a parameter without reading it.
     *
     * @throws dev.holdfast.error.MalformedFileException if the files hold no parameter of this name
     */
    WeightInfo info(String name);

    /**
     * The values of a parameter as a FLOAT tensor, converted or dequantised from the stored format.
     *
     * @throws dev.holdfast.error.MalformedFileException if the files hold no parameter of this name or have been cut short since
     *     they were opened
     * @throws dev.holdfast.error.UnsupportedModelException if the stored format is not supported or the tensor would exceed 2 GiB
     */
    HostTensor readFloat(String name);

    /** Whether there is a parameter of this name. */
    default boolean contains(String name) {
        return names().contains(name);
    }

    @Override
    void close();
}
