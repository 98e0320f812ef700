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
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A deployable model with Holdfast's matrix products in place of ONNX's {@code Gemm}, for running it beside training: they are faster, take
 * bfloat16 operands where the session asks for them, and compute as the model in training does.
 *
 * <p>Only products of FLOAT weights are replaced, and of BFLOAT16 ones that the graph casts to FLOAT, which the product takes as they are; all
 * else stays as it is, external data included.
 */
public final class ProductSubstitution {
    private static final String GEMM = "Gemm";
    private static final String CAST = "Cast";
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
        Map<String, String> storedByCast = castWeights(model.getGraph());
        GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
        for (NodeProto node : model.getGraph().getNodeList()) {
            boolean isProduct = isReplaceable(node);
            if (isProduct && floats.contains(node.getInput(1))) {
                graph.addNode(replaced(node));
            } else if (isProduct && storedByCast.containsKey(node.getInput(1))) {
                graph.addNode(replaced(node).toBuilder().setInput(1, storedByCast.get(node.getInput(1))));
            } else {
                graph.addNode(node);
            }
        }
        removeUnused(graph, storedByCast.keySet());
        return model.toBuilder()
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain(Operator.Domain.HOLDFAST)
                        .setVersion(Operator.Domain.version(Operator.Domain.HOLDFAST)))
                .build();
    }

    /** The stored weight of every value that is one, cast from BFLOAT16 to FLOAT. */
    private static Map<String, String> castWeights(GraphProto graph) {
        Set<String> stored = new HashSet<>();
        for (TensorProto weight : graph.getInitializerList()) {
            if (weight.getDataType() == TensorProto.DataType.BFLOAT16.getNumber()) {
                stored.add(weight.getName());
            }
        }
        Map<String, String> casts = new HashMap<>();
        for (NodeProto node : graph.getNodeList()) {
            if (node.getOpType().equals(CAST) && stored.contains(node.getInput(0))) {
                casts.put(node.getOutput(0), node.getInput(0));
            }
        }
        return casts;
    }

    /** A cast that nobody reads any more would still be computed, and kept. */
    private static void removeUnused(GraphProto.Builder graph, Set<String> casts) {
        Set<String> read = new HashSet<>();
        graph.getNodeList().forEach(node -> read.addAll(node.getInputList()));
        graph.getOutputList().forEach(output -> read.add(output.getName()));
        for (int i = graph.getNodeCount() - 1; i >= 0; i--) {
            String output = graph.getNode(i).getOutput(0);
            if (casts.contains(output) && !read.contains(output)) {
                graph.removeNode(i);
            }
        }
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

    private static boolean isReplaceable(NodeProto node) {
        boolean scaled = node.getAttributeList().stream()
                .anyMatch(attribute -> attribute.getName().equals(BETA) && attribute.getF() != 1);
        return node.getOpType().equals(GEMM) && node.getDomain().isEmpty() && !scaled;
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
