package dev.holdfast.weights;

import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import java.nio.file.Path;
import java.util.List;

/**
 * The file {@code .onnx_adapter}, in which ONNX Runtime keeps values for inputs of a model: flatbuffers {@code TORT}.
 *
 * <p>Source: ONNX Runtime, {@code onnxruntime/lora/adapter_format/adapter_schema.fbs}.
 */
public final class OnnxAdapterFile {
    private static final String IDENTIFIER = "TORT";
    private static final int FORMAT_VERSION = 1;

    private static final int ROOT_FORMAT_VERSION = 0;
    private static final int ROOT_ADAPTER_VERSION = 1;
    private static final int ROOT_MODEL_VERSION = 2;
    private static final int ROOT_PARAMETERS = 3;

    private static final int PARAMETER_NAME = 0;
    private static final int PARAMETER_DIMENSIONS = 1;
    private static final int PARAMETER_TYPE = 2;
    private static final int PARAMETER_RAW_DATA = 3;

    private OnnxAdapterFile() {}

    /**
     * Writes a file whole or not at all.
     *
     * @param parameters the values, each under the name of the model's input
     * @return the file's size and digest
     * @throws dev.holdfast.error.FileAccessException if it cannot be written
     */
    public static FileDigest write(Path path, List<PendingTensor> parameters) {
        FlatWriter tables = new FlatWriter(IDENTIFIER);
        RawVectors vectors = new RawVectors();
        FlatWriter.Table root = tables.table(4, 4, 4, 4)
                .int32(ROOT_FORMAT_VERSION, FORMAT_VERSION)
                .int32(ROOT_ADAPTER_VERSION, 1)
                .int32(ROOT_MODEL_VERSION, 1);
        tables.refer(0, root.position());
        int vector = tables.references(parameters.size());
        tables.refer(root.field(ROOT_PARAMETERS), vector);
        for (int i = 0; i < parameters.size(); i++) {
            int element = vector + RawVectors.LENGTH_BYTES * (i + 1);
            tables.refer(element, addParameter(tables, vectors, parameters.get(i)));
        }
        List<RawVectors.Placed> placed = vectors.place(tables);
        try (OutputFile file = OutputFile.create(path)) {
            file.write(tables.finish());
            placed.forEach(tensor -> tensor.write(file));
            return file.commit();
        }
    }

    private static int addParameter(FlatWriter tables, RawVectors vectors, PendingTensor parameter) {
        FlatWriter.Table table = tables.table(4, 4, 4, 4)
                .string(PARAMETER_NAME, parameter.name())
                .int32(PARAMETER_TYPE, parameter.elementType().onnxCode());
        tables.refer(
                table.field(PARAMETER_DIMENSIONS),
                tables.longs(parameter.shape().toArray()));
        vectors.add(table.field(PARAMETER_RAW_DATA), parameter);
        return table.position();
    }
}
