package dev.holdfast.exporter;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import dev.holdfast.model.Decoder;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.Parameter;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Initializer;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Writes a decoder with a cache: the graph, and beside it the weights of a checkpoint as one file of external data, in which every tensor
 * begins on a page of its own so that it can be mapped.
 *
 * <p>Bytes go from file to file, a block at a time: nothing limits the size of a tensor or of the model. Weights that have to be computed,
 * those of adapted layers or of half types, are in memory one at a time.
 */
final class DecoderFiles {
    private static final long ALIGNMENT = 4096;
    private static final int BLOCK_BYTES = 1 << 20;

    private final Decoder decoder;
    private final OrtCheckpoint checkpoint;
    private final Exporter.Listener listener;
    private final Map<String, StoredWeight> places = new LinkedHashMap<>();
    private final ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
    private final long total;
    private long written;

    /** Will write a decoder with the weights of a checkpoint. */
    DecoderFiles(Decoder decoder, OrtCheckpoint checkpoint, Exporter.Listener listener) {
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
     * @throws InvalidInputException if a parameter of the checkpoint is not of the decoder's shape, or not of a floating-point type
     * @throws MalformedFileException if the checkpoint lacks a parameter or ends early
     * @throws FileAccessException if a file cannot be read or written
     */
    Map<String, FileDigest> write(Path folder) {
        return write(folder, Optional.empty(), () -> ForwardGraph.cached(decoder, places::get));
    }

    /** As {@link #write}, the adapters of the checkpoint added to the weights. */
    Map<String, FileDigest> writeMerged(Path folder, LowRankAdapters adapters) {
        Optional<AdapterMerge> merge = Optional.of(AdapterMerge.of(checkpoint, adapters, decoder));
        return write(folder, merge, () -> ForwardGraph.cached(decoder, places::get));
    }

    /** As {@link #write}, with adapters of the same layers as optional inputs of the decoder. */
    Map<String, FileDigest> writeAdaptable(Path folder, LowRankAdapters adapters) {
        return write(folder, Optional.empty(), () -> ForwardGraph.adaptable(decoder, adapters, places::get));
    }

    private Map<String, FileDigest> write(Path folder, Optional<AdapterMerge> merge, Supplier<Graph> graph) {
        Map<String, FileDigest> digests = new TreeMap<>();
        digests.put(DeployableFolder.WEIGHTS, writeWeights(folder.resolve(DeployableFolder.WEIGHTS), merge));
        digests.put(DeployableFolder.MODEL, ModelFile.write(graph.get(), folder.resolve(DeployableFolder.MODEL)));
        return digests;
    }

    private FileDigest writeWeights(Path path, Optional<AdapterMerge> merge) {
        try (OutputFile file = OutputFile.create(path)) {
            for (Parameter parameter : decoder.parameters()) {
                CheckpointTensor tensor = checked(parameter);
                long offset = (file.position() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
                file.padTo(offset);
                Optional<AdapterMerge> change = merge.filter(adapters -> adapters.changes(parameter.name()));
                if (change.isEmpty() && tensor.elementType() == ElementType.FLOAT) {
                    copy(tensor, file);
                } else {
                    convert(tensor, change, file);
                }
                written += parameter.shape().elementCount();
                long sizeBytes = parameter.shape().elementCount() * ElementType.FLOAT.sizeBytes();
                places.put(
                        parameter.name(),
                        new StoredWeight(
                                ElementType.FLOAT,
                                new Initializer.External(DeployableFolder.WEIGHTS, offset, sizeBytes)));
            }
            return file.commit();
        }
    }

    private CheckpointTensor checked(Parameter parameter) {
        CheckpointTensor tensor = checkpoint.parameter(parameter.name());
        if (!HalfPrecision.hasFloatValues(tensor.elementType())
                || !tensor.shape().equals(parameter.shape())) {
            throw new InvalidInputException(checkpoint.path() + ": parameter " + parameter.name()
                    + ": config.json implies FLOAT" + parameter.shape() + ", got " + tensor.elementType()
                    + tensor.shape() + "; weights and config.json must be of the same model");
        }
        return tensor;
    }

    private void convert(CheckpointTensor tensor, Optional<AdapterMerge> change, OutputFile target) {
        HostTensor values = HalfPrecision.toFloat(checkpoint.values(tensor));
        change.ifPresent(adapters -> adapters.addTo(tensor.name(), values));
        target.write(values.bytes());
        listener.written(written + tensor.shape().elementCount(), total);
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
        } catch (IOException e) {
            throw FileAccessException.reading(tensor.file(), e);
        }
    }
}
