package dev.holdfast.weights;

import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes checkpoints that ONNX Runtime's training API loads, one tensor in memory at a time.
 *
 * <p>The bytes of every tensor begin at a multiple of 64, so that ONNX external data can point at them and be mapped. A checkpoint that
 * would exceed 2 GiB keeps its parameters in the file {@code <checkpoint>.data} beside it, as ONNX Runtime itself does.
 */
public final class CheckpointWriter {
    private static final long MAXIMUM_INLINE_BYTES = Integer.MAX_VALUE;

    private final List<PendingTensor> trainable = new ArrayList<>();
    private final List<PendingTensor> frozen = new ArrayList<>();
    private final List<OptimizerGroup<PendingTensor>> groups = new ArrayList<>();
    private final Map<String, Object> properties = new LinkedHashMap<>();
    private final Set<String> names = new HashSet<>();
    private long inlineLimit = MAXIMUM_INLINE_BYTES;

    /** Adds a parameter that is trained. */
    public CheckpointWriter trainable(PendingTensor tensor) {
        trainable.add(requireNew(tensor));
        return this;
    }

    /** Adds a parameter that is not trained. */
    public CheckpointWriter frozen(PendingTensor tensor) {
        frozen.add(requireNew(tensor));
        return this;
    }

    /** Adds the optimizer's state; ONNX Runtime takes one group, {@code group0}. */
    public CheckpointWriter optimizerGroup(OptimizerGroup<PendingTensor> group) {
        groups.add(group);
        return this;
    }

    /** Keeps a whole number with the checkpoint. */
    public CheckpointWriter property(String name, long value) {
        properties.put(name, value);
        return this;
    }

    /** Keeps a real number with the checkpoint. */
    public CheckpointWriter property(String name, float value) {
        properties.put(name, value);
        return this;
    }

    /** Keeps a text with the checkpoint. */
    public CheckpointWriter property(String name, String value) {
        properties.put(name, value);
        return this;
    }

    /** Lets a test reach the layout of large checkpoints with small ones. */
    CheckpointWriter inlineLimit(long bytes) {
        inlineLimit = bytes;
        return this;
    }

    private PendingTensor requireNew(PendingTensor tensor) {
        if (!names.add(tensor.name())) {
            throw new IllegalArgumentException("parameter " + tensor.name() + ": expected once, got it twice");
        }
        return tensor;
    }

    /**
     * Writes the checkpoint whole or not at all.
     *
     * @param path where to; a checkpoint there is replaced once the new one is complete
     * @return size and digest of each file by its name
     * @throws IllegalArgumentException if a tensor is not as announced
     * @throws dev.holdfast.error.FileAccessException if the file cannot be written, such as on a full disk
     */
    public Map<String, FileDigest> write(Path path) {
        CheckpointLayout layout = new CheckpointLayout(trainable, frozen, groups, properties, inlineLimit);
        Map<String, FileDigest> digests = new TreeMap<>();
        if (layout.hasExternalData()) {
            writeBoth(path, layout, digests);
        } else {
            writeInline(path, layout, digests, () -> {});
        }
        return digests;
    }

    /** Both files are complete before the first is put in its place. */
    private static void writeBoth(Path path, CheckpointLayout layout, Map<String, FileDigest> digests) {
        Path dataPath = CheckpointFormat.dataPath(path);
        try (OutputFile data = OutputFile.create(dataPath)) {
            for (RawVectors.Placed placed : layout.external()) {
                data.padTo(placed.offset());
                data.write(placed.tensor().produce().bytes());
            }
            writeInline(path, layout, digests, () -> digests.put(nameOf(dataPath), data.commit()));
        }
    }

    private static void writeInline(
            Path path, CheckpointLayout layout, Map<String, FileDigest> digests, Runnable beforeCommit) {
        try (OutputFile file = OutputFile.create(path)) {
            file.write(layout.head());
            for (RawVectors.Placed placed : layout.inline()) {
                placed.write(file);
            }
            beforeCommit.run();
            digests.put(nameOf(path), file.commit());
        }
    }

    private static String nameOf(Path path) {
        return path.getFileName().toString();
    }
}
