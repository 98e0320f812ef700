package dev.holdfast.runtime;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The declared inputs and outputs of a model file; a training session of ONNX Runtime does not tell their types. */
record GraphSignature(List<ValueInfo> inputs, List<ValueInfo> outputs) {
    GraphSignature {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /**
     * Reads the declarations of a model file.
     *
     * @throws FileAccessException if the file cannot be read
     * @throws MalformedFileException if it holds no ONNX graph
     */
    static GraphSignature read(Path model) {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(model))) {
            OnnxMl.GraphProto graph = OnnxMl.ModelProto.parseFrom(stream).getGraph();
            if (graph.getNodeCount() == 0) {
                throw MalformedFileException.of(model, "expected an ONNX model, found no node in it");
            }
            return new GraphSignature(convert(graph.getInputList()), convert(graph.getOutputList()));
        } catch (InvalidProtocolBufferException e) {
            throw MalformedFileException.of(model, "expected an ONNX model, got a damaged one: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileAccessException.reading(model, e);
        }
    }

    private static List<ValueInfo> convert(List<OnnxMl.ValueInfoProto> values) {
        return values.stream().map(GraphSignature::convert).toList();
    }

    private static ValueInfo convert(OnnxMl.ValueInfoProto value) {
        OnnxMl.TypeProto.Tensor tensor = value.getType().getTensorType();
        Optional<List<Dimension>> dimensions = tensor.hasShape()
                ? Optional.of(tensor.getShape().getDimList().stream().map(GraphSignature::convert).toList())
                : Optional.empty();
        return new ValueInfo(value.getName(), elementType(tensor.getElemType()), dimensions);
    }

    private static Dimension convert(OnnxMl.TensorShapeProto.Dimension dimension) {
        return dimension.hasDimValue() ? Dimension.fixed(dimension.getDimValue()) : Dimension.named(dimension.getDimParam());
    }

    private static Optional<ElementType> elementType(int code) {
        try {
            return Optional.of(ElementType.ofOnnxCode(code));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
