package dev.holdfast.exporter;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a decoder with a cache: the graph, and beside it the weights of a checkpoint as one file of external data, in which every tensor
 * begins on a page of its own so that it can be mapped.
 *
 * <p>Bytes go from file to file, a block at a time: nothing limits the size of a tensor or of the model.
 */
final class DecoderFiles {
    private static final long ALIGNMENT = 4096;
    private static final int BLOCK_BYTES = 1 << 20;

    private final Decoder decoder;
    private final OrtCheckpoint checkpoint;
    private final Exporter.Listener listener;
    private final Map<String, Initializer.External> places = new LinkedHashMap<>();
    private final ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
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
     * @return size and digest of each by name
     * @throws InvalidInputException if a parameter of the checkpoint is not of the decoder's shape, or not FLOAT
     * @throws MalformedFileException if the checkpoint lacks a parameter or ends early
     * @throws FileAccessException if a file cannot be read or written
     */
    static Map<String, FileDigest> write(
            Decoder decoder, OrtCheckpoint checkpoint, Path folder, Exporter.Listener listener) {
        DecoderFiles files = new DecoderFiles(decoder, checkpoint, listener);
        Map<String, FileDigest> digests = new TreeMap<>();
        digests.put(DeployableFolder.WEIGHTS, files.writeWeights(folder.resolve(DeployableFolder.WEIGHTS)));
        Graph graph = ForwardGraph.cached(decoder, files.places::get);
        digests.put(DeployableFolder.MODEL, ModelFile.write(graph, folder.resolve(DeployableFolder.MODEL)));
        return digests;
    }

    private FileDigest writeWeights(Path path) {
        try (OutputFile file = OutputFile.create(path)) {
            for (Parameter parameter : decoder.parameters()) {
                CheckpointTensor tensor = checked(parameter);
                long offset = (file.position() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                file.padTo(offset);
                copy(tensor, file);
                places.put(
                        parameter.name(),
                        new Initializer.External(DeployableFolder.WEIGHTS, offset, tensor.sizeBytes()));
            }
            return file.commit();
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

    private void copy(CheckpointTensor tensor, OutputFile target) {
        try (FileChannel source = FileChannel.open(tensor.file(), StandardOpenOption.READ)) {
            long done = 0;
            while (done < tensor.sizeBytes()) {
                block.clear().limit((int) Math.min(block.capacity(), tensor.sizeBytes() - done));
                int count = source.read(block, tensor.offset() + done);
                if (count <= 0) {
                    throw MalformedFileException.atOffset(
                            tensor.file(),
                            tensor.offset() + done,
                            "truncated: parameter " + tensor.name() + " ends early");
                }
                target.write(block.flip());
                done += count;
                listener.written(written + done / ElementType.FLOAT.sizeBytes(), total);
            }
            written += tensor.shape().elementCount();
        } catch (IOException e) {
            throw FileAccessException.reading(tensor.file(), e);
        }
    }
}
