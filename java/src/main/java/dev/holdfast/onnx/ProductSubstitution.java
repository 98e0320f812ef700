package dev.holdfast.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * A deployable model with Holdfast's matrix products in place of ONNX's {@code Gemm}, for running it beside training: they are faster, take
 * bfloat16 operands where the session asks for them, and compute as the model in training does.
 *
 * <p>Only products of FLOAT weights are replaced; all else stays as it is, external data included.
 */
public final class ProductSubstitution {
    private static final String GEMM = "Gemm";
    private static final String BETA = "beta";

    private ProductSubstitution() {}

    /**
     * The bytes of a model with its products replaced.
     *
     * @param model an ONNX file without weights over 2 GB inside; its external data keeps its places
     * @throws MalformedFileException if it is no ONNX model, or it or its external data is truncated
     * @throws FileAccessException if it cannot be read
     */
    public static byte[] of(Path model) {
        ModelExtents.check(model);
        try {
            return substituted(ModelProto.parseFrom(Files.readAllBytes(model))).toByteArray();
        } catch (InvalidProtocolBufferException e) {
            throw MalformedFileException.of(model, "expected an ONNX model, got something else; write it again", e);
        } catch (IOException e) {
            throw FileAccessException.reading(model, e);
        }
    }

    /** The model with its products replaced. */
    static ModelProto substituted(ModelProto model) {
        Set<String> floats = floatWeights(model.getGraph());
        GraphProto.Builder graph = model.getGraph().toBuilder();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            if (isReplaceable(graph.getNode(i), floats)) {
                graph.setNode(i, replaced(graph.getNode(i)));
            }
        }
        return model.toBuilder()
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain(Operator.Domain.HOLDFAST)
                        .setVersion(Operator.Domain.version(Operator.Domain.HOLDFAST)))
                .build();
    }

    private static Set<String> floatWeights(GraphProto graph) {
        Set<String> names = new HashSet<>();
        for (TensorProto weight : graph.getInitializerList()) {
            if (weight.getDataType() == TensorProto.DataType.FLOAT.getNumber() && weight.getDimsCount() == 2) {
                names.add(weight.getName());
            }
        }
        for (ValueInfoProto input : graph.getInputList()) {
            if (input.getType().getTensorType().getElemType() == TensorProto.DataType.FLOAT.getNumber()
                    && input.getType().getTensorType().getShape().getDimCount() == 2) {
                names.add(input.getName());
            }
        }
        return names;
    }

    private static boolean isReplaceable(NodeProto node, Set<String> floats) {
        boolean scaled = node.getAttributeList().stream()
                .anyMatch(attribute -> attribute.getName().equals(BETA) && attribute.getF() != 1);
        return node.getOpType().equals(GEMM)
                && node.getDomain().isEmpty()
                && floats.contains(node.getInput(1))
                && !scaled;
    }

    private static NodeProto replaced(NodeProto node) {
        NodeProto.Builder product = node.toBuilder()
                .setDomain(Operator.Domain.HOLDFAST)
                .setOpType(Operator.MATRIX_PRODUCT.operatorName().type())
                .clearAttribute();
        for (AttributeProto attribute : node.getAttributeList()) {
            if (!attribute.getName().equals(BETA)) {
                product.addAttribute(attribute);
            }
        }
        return product.build();
    }
}
