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
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a model file declares; a training session of ONNX Runtime does not tell the types of its inputs.
 *
 * @param inputs the inputs of the graph
 * @param domains the domains of the operators that it imports
 */
record GraphSignature(List<ValueInfo> inputs, Set<String> domains) {
    private static final String HOLDFAST_DOMAIN = "dev.holdfast";

    GraphSignature {
        inputs = List.copyOf(inputs);
        domains = Set.copyOf(domains);
    }

    /** Whether the model uses Holdfast's own operators. */
    boolean usesHoldfastOperators() {
        return domains.contains(HOLDFAST_DOMAIN);
    }

    /**
     * Reads the declarations of a model file.
     *
     * @throws FileAccessException if the file cannot be read
     * @throws MalformedFileException if it holds no ONNX graph
     */
    static GraphSignature read(Path model) {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(model))) {
            OnnxMl.ModelProto proto = OnnxMl.ModelProto.parseFrom(stream);
            if (proto.getGraph().getNodeCount() == 0) {
                throw MalformedFileException.of(model, "expected an ONNX model, found no node in it");
            }
            List<ValueInfo> inputs = proto.getGraph().getInputList().stream()
                    .map(GraphSignature::convert)
                    .toList();
            return new GraphSignature(
                    inputs,
                    proto.getOpsetImportList().stream()
                            .map(OnnxMl.OperatorSetIdProto::getDomain)
                            .collect(Collectors.toSet()));
        } catch (InvalidProtocolBufferException e) {
            throw MalformedFileException.of(model, "expected an ONNX model, got a damaged one: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileAccessException.reading(model, e);
        }
    }

    private static ValueInfo convert(OnnxMl.ValueInfoProto value) {
        OnnxMl.TypeProto.Tensor tensor = value.getType().getTensorType();
        Optional<List<DeclaredDimension>> dimensions = tensor.hasShape()
                ? Optional.of(tensor.getShape().getDimList().stream()
                        .map(GraphSignature::convert)
                        .toList())
                : Optional.empty();
        return new ValueInfo(value.getName(), elementType(tensor.getElemType()), dimensions);
    }

    private static DeclaredDimension convert(OnnxMl.TensorShapeProto.Dimension dimension) {
        return dimension.hasDimValue()
                ? DeclaredDimension.fixed(dimension.getDimValue())
                : DeclaredDimension.named(dimension.getDimParam());
    }

    private static Optional<ElementType> elementType(int code) {
        try {
            return Optional.of(ElementType.ofOnnxCode(code));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
