package dev.holdfast.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A decoder as it is deployed, cut before its head: a graph of hidden states at given positions, and the head's weights.
 *
 * <p>The graph takes token ids alone. What a deployed decoder wants besides is made inside: a mask of ones, positions from 0, and no keys
 * and values from before. Padding on the right is harmless, for attention looks back only.
 *
 * <p>Understood are decoders whose logits are the product of hidden states and constant weights, of MatMul or Gemm without a bias, with at most
 * a change of shape or type behind it. Refused by name: quantised heads, biases, anything that scales or caps logits, inputs other than
 * {@code input_ids}, {@code attention_mask}, {@code position_ids} and {@code past_key_values.*}.
 */
public final class DeployedDecoder {
    private static final String INPUT_IDS = "input_ids";
    private static final String PAST = "past_key_values.";
    private static final String PREFIX = "holdfast_";
    private static final String SHAPE = PREFIX + "ids_shape";

    /** What may stand between the head's product and the logits, for it changes no number. */
    private static final Set<String> SHAPES_AND_TYPES = Set.of("Reshape", "Cast", "Identity");

    private final Path file;
    private final GraphProto graph;
    private final ModelProto model;
    private final Map<String, NodeProto> producers = new HashMap<>();
    private final Map<String, TensorProto> initializers = new HashMap<>();
    private final NodeProto product;
    private final HeadWeights head;

    /** Weights of a head: of shape [V, H], or [H, V] if they are transposed. */
    private record HeadWeights(TensorProto tensor, boolean transposed) {
        int vocabularySize() {
            return (int) tensor.getDims(transposed ? 1 : 0);
        }

        int hiddenSize() {
            return (int) tensor.getDims(transposed ? 0 : 1);
        }
    }

    private DeployedDecoder(Path file, ModelProto model, String logits) {
        this.file = file;
        this.model = model;
        this.graph = model.getGraph();
        for (NodeProto node : graph.getNodeList()) {
            node.getOutputList().forEach(output -> producers.put(output, node));
        }
        graph.getInitializerList().forEach(tensor -> initializers.put(tensor.getName(), tensor));
        this.product = product(logits);
        this.head = headWeights();
    }

    /**
     * Reads a decoder.
     *
     * @param model an ONNX file without weights over 2 GB inside; external data beside it
     * @param logits the name of the output
     * @throws MalformedFileException if it is no ONNX model, or it or its external data is truncated
     * @throws UnsupportedModelException if it cannot be cut
     * @throws FileAccessException if it cannot be read
     */
    public static DeployedDecoder read(Path model, String logits) {
        ModelExtents.check(model);
        try {
            return new DeployedDecoder(model, ModelProto.parseFrom(Files.readAllBytes(model)), logits);
        } catch (InvalidProtocolBufferException e) {
            throw MalformedFileException.of(model, "expected an ONNX model, got something else; write it again", e);
        } catch (IOException e) {
            throw FileAccessException.reading(model, e);
        }
    }

    private UnsupportedModelException unsupported(String problem) {
        return new UnsupportedModelException(file + ": " + problem
                + "; a decoder can be a reference if its logits are hidden states times constant weights");
    }

    private NodeProto product(String logits) {
        if (graph.getOutputList().stream().noneMatch(output -> output.getName().equals(logits))) {
            throw unsupported("outputs: expected one called " + logits + ", got "
                    + graph.getOutputList().stream()
                            .map(ValueInfoProto::getName)
                            .limit(4)
                            .toList());
        }
        NodeProto node = producers.get(logits);
        while (node != null && SHAPES_AND_TYPES.contains(node.getOpType())) {
            node = producers.get(node.getInput(0));
        }
        if (node == null || !Set.of("MatMul", "Gemm").contains(node.getOpType())) {
            throw unsupported("head: expected logits from a MatMul or a Gemm, got "
                    + (node == null ? "none" : node.getOpType() + " " + node.getName()));
        }
        return node;
    }

    private HeadWeights headWeights() {
        boolean transposed = true;
        if (product.getOpType().equals("Gemm")) {
            requirePlain();
            transposed = number("transB") == 0;
        }
        NodeProto before = producers.get(product.getInput(1));
        String name = product.getInput(1);
        if (before != null && before.getOpType().equals("Transpose")) {
            transposed = !transposed;
            name = before.getInput(0);
        }
        TensorProto tensor = initializers.get(name);
        if (tensor == null || tensor.getDimsCount() != 2 || !isFloat(tensor.getDataType())) {
            throw unsupported("head: expected a constant matrix of float, float16 or bfloat16, got "
                    + (tensor == null
                            ? "a computed one"
                            : "type " + tensor.getDataType() + " " + tensor.getDimsList()));
        }
        return new HeadWeights(tensor, transposed);
    }

    private void requirePlain() {
        boolean scaled = product.getAttributeList().stream()
                .anyMatch(attribute -> attribute.getName().equals("alpha") && attribute.getF() != 1);
        boolean biased = product.getInputCount() > 2 && !product.getInput(2).isEmpty();
        if (scaled || biased || number("transA") != 0) {
            throw unsupported("head: expected a Gemm without scale and bias, got " + product.getName());
        }
    }

    private long number(String attribute) {
        return product.getAttributeList().stream()
                .filter(given -> given.getName().equals(attribute))
                .mapToLong(AttributeProto::getI)
                .findFirst()
                .orElse(0);
    }

    private static boolean isFloat(int type) {
        return type == ElementType.FLOAT.onnxCode()
                || type == ElementType.FLOAT16.onnxCode()
                || type == ElementType.BFLOAT16.onnxCode();
    }

    /** V: the rows of the head. */
    public int vocabularySize() {
        return head.vocabularySize();
    }

    /** H: the width of the hidden states. */
    public int hiddenSize() {
        return head.hiddenSize();
    }

    /** The model file, and the files of its external data. */
    public List<Path> files() {
        Set<Path> files = new TreeSet<>();
        files.add(file);
        initializers.values().forEach(tensor -> tensor.getExternalDataList().stream()
                .filter(entry -> entry.getKey().equals("location"))
                .forEach(entry -> files.add(file.resolveSibling(entry.getValue()))));
        return List.copyOf(files);
    }

    /**
     * The head's weights as the loss takes them.
     *
     * @return FLOAT[V, H]
     * @throws FileAccessException if external data cannot be read
     */
    public HostTensor head() {
        HostTensor stored = TensorValues.read(file, head.tensor());
        return head.transposed() ? TensorValues.transposed(stored) : stored;
    }

    /**
     * The graph up to the head, with Holdfast's matrix products where they fit.
     *
     * @param positions the name of its second input, INT64[N]: flat indices b·T + t into {@code input_ids} [B, T]
     * @param hidden the name of its output, FLOAT[N, H]
     * @return the bytes of a model whose external data lies where it did
     */
    public byte[] hiddenModel(String positions, String hidden) {
        List<NodeProto> made = new ArrayList<>();
        made.add(node("Shape", SHAPE, INPUT_IDS).build());
        made.add(scalar(PREFIX + "zero", 0));
        made.add(scalar(PREFIX + "one", 1));
        made.add(node("Gather", PREFIX + "length", SHAPE, PREFIX + "one").build());
        GraphProto.Builder cut = graph.toBuilder().clearInput().clearNode().clearOutput();
        for (ValueInfoProto input : graph.getInputList()) {
            if (input.getName().equals(INPUT_IDS) || initializers.containsKey(input.getName())) {
                cut.addInput(input);
            } else {
                made.addAll(replaced(input));
            }
        }
        cut.addInput(info(positions, ElementType.INT64, List.of("N")));
        cut.addAllNode(made).addAllNode(graph.getNodeList());
        addOutput(cut, positions, hidden);
        return ProductSubstitution.substituted(model.toBuilder().setGraph(cut).build())
                .toByteArray();
    }

    private void addOutput(GraphProto.Builder cut, String positions, String hidden) {
        String rows = PREFIX + "rows";
        String floats = PREFIX + "hidden_float";
        cut.addNode(
                node("Cast", floats, product.getInput(0)).addAttribute(integer("to", ElementType.FLOAT.onnxCode())));
        cut.addNode(vector(PREFIX + "row_shape", -1, hiddenSize()));
        cut.addNode(node("Reshape", rows, floats, PREFIX + "row_shape"));
        cut.addNode(node("Gather", hidden, rows, positions).addAttribute(integer("axis", 0)));
        cut.addOutput(info(hidden, ElementType.FLOAT, List.of("N", hiddenSize())));
    }

    /** Nodes that make what an input would have brought. */
    private List<NodeProto> replaced(ValueInfoProto input) {
        String name = input.getName();
        int type = input.getType().getTensorType().getElemType();
        if (name.equals("attention_mask") && type == ElementType.INT64.onnxCode()) {
            return List.of(filled(name, SHAPE, ElementType.INT64, 1));
        }
        if (name.equals("position_ids") && type == ElementType.INT64.onnxCode()) {
            String places = PREFIX + "places";
            return List.of(
                    node("Range", places, PREFIX + "zero", PREFIX + "length", PREFIX + "one")
                            .build(),
                    node("Expand", name, places, SHAPE).build());
        }
        if (name.startsWith(PAST) && isFloat(type)) {
            return emptyPast(name, input.getType().getTensorType());
        }
        throw unsupported("input " + name + ": expected only input_ids, attention_mask, position_ids as INT64 and "
                + PAST + "* as floats");
    }

    /** No keys or values: as many sequences as there are of ids, and of the other sizes those that are fixed, with 0 of the rest. */
    private List<NodeProto> emptyPast(String name, TypeProto.Tensor type) {
        List<TensorShapeProto.Dimension> dimensions = type.getShape().getDimList();
        long[] rest = dimensions.stream()
                .skip(1)
                .mapToLong(TensorShapeProto.Dimension::getDimValue)
                .toArray();
        String sequences = PREFIX + name + "_sequences";
        String sizes = PREFIX + name + "_sizes";
        String shape = PREFIX + name + "_shape";
        String first = PREFIX + name + "_first";
        return List.of(
                vector(first, 0),
                node("Gather", sequences, SHAPE, first).build(),
                vector(sizes, rest),
                node("Concat", shape, sequences, sizes)
                        .addAttribute(integer("axis", 0))
                        .build(),
                filled(name, shape, ElementType.ofOnnxCode(type.getElemType()), 0));
    }

    private static NodeProto.Builder node(String operator, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output)
                .addAllInput(List.of(inputs))
                .addOutput(output);
    }

    private static NodeProto scalar(String name, long value) {
        return constant(name, TensorProto.newBuilder(), value);
    }

    private static NodeProto vector(String name, long... values) {
        return constant(name, TensorProto.newBuilder().addDims(values.length), values);
    }

    private static NodeProto constant(String name, TensorProto.Builder tensor, long... values) {
        tensor.setDataType(ElementType.INT64.onnxCode());
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        return node("Constant", name).addAttribute(tensor("value", tensor)).build();
    }

    /** A tensor of one value everywhere, of an integer type or 0. */
    private static NodeProto filled(String name, String shape, ElementType type, long value) {
        ByteBuffer bytes = ByteBuffer.allocate(type.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
        if (type == ElementType.INT64) {
            bytes.putLong(0, value);
        }
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setDataType(type.onnxCode()).addDims(1).setRawData(ByteString.copyFrom(bytes));
        return node("ConstantOfShape", name, shape)
                .addAttribute(tensor("value", tensor))
                .build();
    }

    private static AttributeProto.Builder integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value);
    }

    private static AttributeProto.Builder tensor(String name, TensorProto.Builder value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.TENSOR)
                .setT(value);
    }

    private static ValueInfoProto info(String name, ElementType type, List<Object> dimensions) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        dimensions.forEach(dimension -> {
            if (dimension instanceof Integer size) {
                shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(size));
            } else {
                shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam((String) dimension));
            }
        });
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.onnxCode())
                                .setShape(shape)))
                .build();
    }
}
