package dev.holdfast.exporter;

import dev.holdfast.artifact.DeployableFolder;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.model.LinearLayer;
import dev.holdfast.model.LowRankAdapters;
import dev.holdfast.model.Parameter;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.weights.OnnxAdapterFile;
import dev.holdfast.weights.OrtCheckpoint;
import dev.holdfast.weights.PeftAdapter;
import dev.holdfast.weights.PendingTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The adapters of a checkpoint in files of their own: ONNX Runtime's, whose B has the scale in it, and PEFT's. */
final class AdapterFiles {
    private AdapterFiles() {}

    /**
     * Writes both.
     *
     * @param baseModel what PEFT's file calls the model that they belong to
     * @return size and digest by name of those that nobody edits
     */
    static Map<String, FileDigest> write(
            OrtCheckpoint checkpoint, LowRankAdapters adapters, String baseModel, boolean inputFirst, Path folder) {
        Path peft = createFolder(folder.resolve(DeployableFolder.PEFT));
        List<PendingTensor> plain = adapters.parameters().stream()
                .map(parameter -> pending(checkpoint, parameter))
                .toList();
        PeftAdapter.write(peft, adapters.config(), baseModel, inputFirst, plain);
        FileDigest written =
                OnnxAdapterFile.write(folder.resolve(DeployableFolder.ADAPTER), scaled(checkpoint, adapters));
        return Map.of(DeployableFolder.ADAPTER, written);
    }

    private static List<PendingTensor> scaled(OrtCheckpoint checkpoint, LowRankAdapters adapters) {
        return adapters.layers().stream()
                .flatMap(layer ->
                        Stream.of(pending(checkpoint, adapters.down(layer)), scaledUp(checkpoint, adapters, layer)))
                .toList();
    }

    private static PendingTensor scaledUp(OrtCheckpoint checkpoint, LowRankAdapters adapters, LinearLayer layer) {
        PendingTensor up = pending(checkpoint, adapters.up(layer));
        float scale = (float) adapters.config().scale();
        return up.converted(up.elementType(), values -> scale(values, scale));
    }

    private static HostTensor scale(HostTensor tensor, float scale) {
        FloatBuffer values = tensor.floats();
        for (int i = 0; i < values.capacity(); i++) {
            values.put(i, values.get(i) * scale);
        }
        return tensor;
    }

    private static PendingTensor pending(OrtCheckpoint checkpoint, Parameter parameter) {
        return PendingTensor.of(checkpoint.weights(), parameter.name());
    }

    private static Path createFolder(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw FileAccessException.writing(folder, e);
        }
    }
}
