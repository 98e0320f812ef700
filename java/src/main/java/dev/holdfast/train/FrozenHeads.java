package dev.holdfast.train;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.CheckpointTensor;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;

/**
 * The heads of models as the loss takes them. Models with low-rank adapters on the same frozen weights have one head, which is in memory once.
 *
 * <p>Thread safety: none.
 */
final class FrozenHeads {
    private record Place(Object file, long offset) {}

    private final Map<Place, HostTensor> shared = new HashMap<>();

    /** The head of a model, FLOAT[vocabularySize, hiddenSize]. */
    HostTensor of(ModelFolder folder) {
        OrtCheckpoint checkpoint = folder.checkpoint();
        CheckpointTensor head = checkpoint.parameter(folder.model().head());
        // Other checkpoints come and go, and a new file may have the key of one that is gone.
        return folder.model().lora() == null
                ? read(checkpoint, head)
                : shared.computeIfAbsent(placeOf(head), place -> read(checkpoint, head));
    }

    private static HostTensor read(OrtCheckpoint checkpoint, CheckpointTensor head) {
        return HalfPrecision.toFloat(checkpoint.values(head));
    }

    private static Place placeOf(CheckpointTensor tensor) {
        try {
            Object key = Files.readAttributes(tensor.file(), BasicFileAttributes.class)
                    .fileKey();
            return new Place(key == null ? tensor.file().toRealPath() : key, tensor.offset());
        } catch (IOException e) {
            throw FileAccessException.reading(tensor.file(), e);
        }
    }
}
