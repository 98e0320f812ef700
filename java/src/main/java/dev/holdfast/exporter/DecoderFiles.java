package dev.holdfast.exporter;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes a decoder with a cache: the graph, and beside it the weights of a checkpoint as one file of external data, in which every tensor
 * begins on a page of its own so that it can be mapped.
 *
 * <p>Bytes go from file to file: nothing limits the size of a tensor or of the model.
 */
final class DecoderFiles {
    private static final long ALIGNMENT = 4096;
    private static final long BLOCK_BYTES = 16L << 20;

    private final Decoder decoder;
    private final OrtCheckpoint checkpoint;
    private final Exporter.Listener listener;
    private final long total;
    private long written;

    private DecoderFiles(Decoder decoder, OrtCheckpoint checkpoint, Exporter.Listener listener) {
        this.decoder = decoder;
        this.checkpoint = checkpoint;
        this.listener = listener;
        this.total = decoder.parameters().stream()
                .mapToLong(parameter -> parameter.shape().elementCount())
                .sum();
    }

    /**
     * Writes both files.
     *
     * @throws InvalidInputException if a parameter of the checkpoint is not of the decoder's shape, or not FLOAT
     * @throws MalformedFileException if the checkpoint lacks a parameter or ends early
     * @throws FileAccessException if a file cannot be read or written
     */
    static void write(Decoder decoder, OrtCheckpoint checkpoint, Path folder, Exporter.Listener listener) {
        Map<String, Initializer.External> places =
                new DecoderFiles(decoder, checkpoint, listener).writeWeights(folder.resolve(DeployableFolder.WEIGHTS));
        ModelFile.write(ForwardGraph.cached(decoder, places::get), folder.resolve(DeployableFolder.MODEL));
    }

    private Map<String, Initializer.External> writeWeights(Path file) {
        Map<String, Initializer.External> places = new LinkedHashMap<>();
        try (FileChannel target = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long end = 0;
            for (Parameter parameter : decoder.parameters()) {
                CheckpointTensor tensor = checked(parameter);
                long offset = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                target.position(offset);
                copy(tensor, target);
                end = offset + tensor.sizeBytes();
                places.put(
                        parameter.name(),
                        new Initializer.External(DeployableFolder.WEIGHTS, offset, tensor.sizeBytes()));
            }
            return places;
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    private CheckpointTensor checked(Parameter parameter) {
        CheckpointTensor tensor = checkpoint.parameter(parameter.name());
        if (tensor.elementType() != ElementType.FLOAT || !tensor.shape().equals(parameter.shape())) {
            throw new InvalidInputException(checkpoint.path() + ": parameter " + parameter.name()
                    + ": config.json implies FLOAT" + parameter.shape() + ", got " + tensor.elementType()
                    + tensor.shape() + "; weights and config.json must be of the same model");
        }
        return tensor;
    }

    private void copy(CheckpointTensor tensor, FileChannel target) throws IOException {
        try (FileChannel source = open(tensor.file())) {
            long done = 0;
            while (done < tensor.sizeBytes()) {
                long count = source.transferTo(
                        tensor.offset() + done, Math.min(BLOCK_BYTES, tensor.sizeBytes() - done), target);
                if (count <= 0) {
                    throw MalformedFileException.atOffset(
                            tensor.file(),
                            tensor.offset() + done,
                            "truncated: parameter " + tensor.name() + " ends early");
                }
                done += count;
                listener.written(written + done / ElementType.FLOAT.sizeBytes(), total);
            }
            written += tensor.shape().elementCount();
        }
    }

    private static FileChannel open(Path file) {
        try {
            return FileChannel.open(file, StandardOpenOption.READ);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }
}
