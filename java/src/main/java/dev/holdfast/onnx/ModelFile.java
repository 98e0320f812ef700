package dev.holdfast.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.files.FileDigest;
import dev.holdfast.files.OutputFile;
import dev.holdfast.onnx.ValueType.SequenceOfTensors;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** ONNX model files and bytes: written from graphs and read into them. */
public final class ModelFile {
    private static final int IR_VERSION = 9;
    private static final String PRODUCER = "holdfast";

    private ModelFile() {}

    /**
     * Writes a graph as a model file, whole or not at all; what its external initializers name is not touched.
     *
     * @return the file's size and digest
     * @throws FileAccessException if it cannot be written, such as on a full disk
     */
    public static FileDigest write(Graph graph, Path file) {
        return OutputFile.writeWhole(file, toBytes(graph));
    }

    /** A graph as the bytes of a model. */
    public static byte[] toBytes(Graph graph) {
        return new Writer(graph).model().toByteArray();
    }

    /**
     * Reads a model file; external data is not opened.
     *
     * @throws MalformedFileException if it is no ONNX model, or one that uses what graphs here cannot hold (subgraphs, local
     *     functions, sparse tensors)
     * @throws FileAccessException if it cannot be read
     */
    public static Graph read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            CodedInputStream coded = CodedInputStream.newInstance(in);
            coded.setSizeLimit(Integer.MAX_VALUE);
            return new Reader(ModelProto.parseFrom(coded), file).graph();
        } catch (InvalidProtocolBufferException e) {
            throw MalformedFileException.of(file, "not an ONNX model: " + e.getMessage(), e);
        } catch (IOException e) {
            throw FileAccessException.reading(file, e);
        }
    }

    private static final class Writer {
        private final Graph graph;
        private final Set<String> domains = new TreeSet<>();

        Writer(Graph graph) {
            this.graph = graph;
        }

        ModelProto model() {
            GraphProto.Builder proto = GraphProto.newBuilder().setName(graph.name());
            graph.inputs().forEach(value -> proto.addInput(valueInfo(value)));
            graph.outputs().forEach(value -> proto.addOutput(valueInfo(value)));
            graph.initializers().forEach((value, initializer) -> proto.addInitializer(tensor(value, initializer)));
            graph.nodes().forEach(node -> addNode(proto, node));
            domains.add(Operator.Domain.ONNX);
            ModelProto.Builder model = ModelProto.newBuilder()
                    .setIrVersion(IR_VERSION)
                    .setProducerName(PRODUCER)
                    .setGraph(proto);
            domains.forEach(domain -> model.addOpsetImport(
                    OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(Operator.Domain.version(domain))));
            return model.build();
        }

        private void addNode(GraphProto.Builder proto, Node node) {
            domains.add(node.operatorName().domain());
            NodeProto.Builder builder = NodeProto.newBuilder()
                    .setName(node.name())
                    .setDomain(node.operatorName().domain())
                    .setOpType(node.operatorName().type());
            node.inputs().forEach(value -> builder.addInput(value == null ? "" : value.name()));
            node.outputs().forEach(value -> builder.addOutput(value == null ? "" : value.name()));
            node.attributes().asMap().forEach((name, value) -> builder.addAttribute(attribute(name, value)));
            proto.addNode(builder);
            for (Value output : node.outputs()) {
                if (output != null
                        && output.knownType().isPresent()
                        && !graph.outputs().contains(output)) {
                    proto.addValueInfo(valueInfo(output));
                }
            }
        }

        private static AttributeProto attribute(String name, Object value) {
            AttributeProto.Builder builder = AttributeProto.newBuilder().setName(name);
            if (value instanceof Long number) {
                return builder.setType(AttributeProto.AttributeType.INT)
                        .setI(number)
                        .build();
            }
            if (value instanceof Float number) {
                return builder.setType(AttributeProto.AttributeType.FLOAT)
                        .setF(number)
                        .build();
            }
            if (value instanceof String text) {
                return builder.setType(AttributeProto.AttributeType.STRING)
                        .setS(ByteString.copyFromUtf8(text))
                        .build();
            }
            if (value instanceof HostTensor tensor) {
                return builder.setType(AttributeProto.AttributeType.TENSOR)
                        .setT(inline(tensor))
                        .build();
            }
            List<?> list = (List<?>) value;
            boolean real = !list.isEmpty() && list.get(0) instanceof Float;
            list.forEach(item -> {
                if (item instanceof Float number) {
                    builder.addFloats(number);
                } else {
                    builder.addInts((Long) item);
                }
            });
            return builder.setType(real ? AttributeProto.AttributeType.FLOATS : AttributeProto.AttributeType.INTS)
                    .build();
        }

        private static TensorProto.Builder inline(HostTensor tensor) {
            TensorProto.Builder builder = TensorProto.newBuilder()
                    .setDataType(tensor.elementType().onnxCode())
                    .setRawData(ByteString.copyFrom(tensor.bytes()));
            for (long dimension : tensor.shape().toArray()) {
                builder.addDims(dimension);
            }
            return builder;
        }

        private static TensorProto tensor(Value value, Initializer initializer) {
            if (initializer instanceof Initializer.Inline inline) {
                return inline(inline.tensor()).setName(value.name()).build();
            }
            Initializer.External external = (Initializer.External) initializer;
            TensorProto.Builder builder = TensorProto.newBuilder()
                    .setName(value.name())
                    .setDataType(value.type().elementType().onnxCode())
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", external.location()))
                    .addExternalData(entry("offset", Long.toString(external.offset())))
                    .addExternalData(entry("length", Long.toString(external.length())));
            for (long dimension : value.type().shape().toArray()) {
                builder.addDims(dimension);
            }
            return builder.build();
        }

        private static StringStringEntryProto entry(String key, String value) {
            return StringStringEntryProto.newBuilder()
                    .setKey(key)
                    .setValue(value)
                    .build();
        }

        private static ValueInfoProto valueInfo(Value value) {
            ValueInfoProto.Builder builder = ValueInfoProto.newBuilder().setName(value.name());
            value.knownType().ifPresent(type -> builder.setType(type(type)));
            return builder.build();
        }

        private static TypeProto type(ValueType type) {
            if (type instanceof SequenceOfTensors sequence) {
                TypeProto element = TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(sequence.elementType().onnxCode()))
                        .build();
                return TypeProto.newBuilder()
                        .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(element))
                        .build();
            }
            TensorType tensor = (TensorType) type;
            TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
            tensor.dimensions().forEach(dimension -> shape.addDim(dimension(dimension)));
            return TypeProto.newBuilder()
                    .setTensorType(TypeProto.Tensor.newBuilder()
                            .setElemType(tensor.elementType().onnxCode())
                            .setShape(shape))
                    .build();
        }

        private static TensorShapeProto.Dimension dimension(Dimension dimension) {
            TensorShapeProto.Dimension.Builder builder = TensorShapeProto.Dimension.newBuilder();
            if (dimension.isFixed()) {
                builder.setDimValue(dimension.size());
            } else if (!dimension.isUnknown()) {
                builder.setDimParam(dimension.toString());
            }
            return builder.build();
        }
    }

    private static final class Reader {
        private final ModelProto model;
        private final Path file;
        private final Map<String, ValueType> types = new HashMap<>();
        private Graph graph;

        Reader(ModelProto model, Path file) {
            this.model = model;
            this.file = file;
        }

        Graph graph() {
            if (!model.hasGraph()) {
                throw MalformedFileException.of(file, "not an ONNX model: has no graph");
            }
            GraphProto proto = model.getGraph();
            graph = new Graph(proto.getName());
            proto.getValueInfoList().forEach(this::noteType);
            proto.getOutputList().forEach(this::noteType);
            try {
                readInto(proto);
            } catch (InvalidGraphException e) {
                throw MalformedFileException.of(file, e.getMessage(), e);
            }
            return graph;
        }

        private void readInto(GraphProto proto) {
            Map<String, TensorProto> tensors = new LinkedHashMap<>();
            proto.getInitializerList().forEach(tensor -> tensors.put(tensor.getName(), tensor));
            for (ValueInfoProto input : proto.getInputList()) {
                if (!tensors.containsKey(input.getName())) {
                    graph.input(input.getName(), type(input));
                }
            }
            tensors.values().forEach(this::addInitializer);
            proto.getNodeList().forEach(this::addNode);
            proto.getOutputList().forEach(output -> graph.output(graph.value(output.getName())));
        }

        private void noteType(ValueInfoProto info) {
            if (info.hasType()) {
                types.put(info.getName(), type(info));
            }
        }

        private ValueType type(ValueInfoProto info) {
            TypeProto type = info.getType();
            if (type.hasSequenceType()) {
                return new SequenceOfTensors(elementType(
                        info.getName(),
                        type.getSequenceType().getElemType().getTensorType().getElemType()));
            }
            List<Dimension> dimensions = new ArrayList<>();
            type.getTensorType().getShape().getDimList().forEach(dimension -> dimensions.add(dimension(dimension)));
            return new TensorType(
                    elementType(info.getName(), type.getTensorType().getElemType()), dimensions);
        }

        private ElementType elementType(String name, int code) {
            try {
                return ElementType.ofOnnxCode(code);
            } catch (IllegalArgumentException e) {
                throw MalformedFileException.of(file, "value \"" + name + "\": " + e.getMessage(), e);
            }
        }

        private static Dimension dimension(TensorShapeProto.Dimension dimension) {
            if (dimension.hasDimValue() && dimension.getDimValue() >= 0) {
                return Dimension.of(dimension.getDimValue());
            }
            return dimension.hasDimParam() && !dimension.getDimParam().isBlank()
                    ? Dimension.of(dimension.getDimParam())
                    : Dimension.UNKNOWN;
        }

        private void addInitializer(TensorProto tensor) {
            ElementType elementType = elementType(tensor.getName(), tensor.getDataType());
            Shape shape = shape(tensor);
            Initializer initializer = tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
                    ? external(tensor)
                    : new Initializer.Inline(inline(tensor, elementType, shape));
            graph.initializer(tensor.getName(), TensorType.of(elementType, shape), initializer);
        }

        private Shape shape(TensorProto tensor) {
            try {
                return Shape.of(
                        tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
            } catch (IllegalArgumentException e) {
                throw MalformedFileException.of(file, "initializer \"" + tensor.getName() + "\": " + e.getMessage(), e);
            }
        }

        private Initializer external(TensorProto tensor) {
            Map<String, String> entries = new HashMap<>();
            tensor.getExternalDataList().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
            try {
                return new Initializer.External(
                        entries.getOrDefault("location", ""),
                        Long.parseLong(entries.getOrDefault("offset", "0")),
                        Long.parseLong(entries.getOrDefault("length", "-1")));
            } catch (NumberFormatException e) {
                throw MalformedFileException.of(
                        file,
                        "initializer \"" + tensor.getName() + "\": external data: expected numbers, got " + entries,
                        e);
            }
        }

        private HostTensor inline(TensorProto tensor, ElementType elementType, Shape shape) {
            ByteBuffer bytes =
                    tensor.hasRawData() ? tensor.getRawData().asReadOnlyByteBuffer() : typedData(tensor, elementType);
            long expected = shape.elementCount() * elementType.sizeBytes();
            if (bytes.remaining() != expected) {
                throw MalformedFileException.of(
                        file,
                        "tensor \"" + tensor.getName() + "\": expected " + expected + " bytes for " + elementType
                                + shape + ", got " + bytes.remaining());
            }
            HostTensor copy = HostTensor.allocate(elementType, shape);
            copy.bytes().put(bytes);
            return copy;
        }

        /** Small tensors may be kept in the typed fields of the message instead of raw bytes. */
        private ByteBuffer typedData(TensorProto tensor, ElementType elementType) {
            int count = Math.max(
                    Math.max(tensor.getFloatDataCount(), tensor.getInt32DataCount()),
                    Math.max(tensor.getInt64DataCount(), tensor.getDoubleDataCount()));
            ByteBuffer bytes =
                    ByteBuffer.allocate(count * elementType.sizeBytes()).order(ByteOrder.LITTLE_ENDIAN);
            switch (elementType) {
                case FLOAT -> tensor.getFloatDataList().forEach(bytes::putFloat);
                case DOUBLE -> tensor.getDoubleDataList().forEach(bytes::putDouble);
                case INT64 -> tensor.getInt64DataList().forEach(bytes::putLong);
                case INT32 -> tensor.getInt32DataList().forEach(bytes::putInt);
                case BOOL, INT8, UINT8 -> tensor.getInt32DataList().forEach(value -> bytes.put(value.byteValue()));
                case INT16, UINT16, FLOAT16, BFLOAT16 -> tensor.getInt32DataList()
                        .forEach(value -> bytes.putShort(value.shortValue()));
                default -> throw MalformedFileException.of(
                        file, "tensor \"" + tensor.getName() + "\": " + elementType + " data is not supported");
            }
            return bytes.flip();
        }

        private void addNode(NodeProto proto) {
            OperatorName operator =
                    new OperatorName("ai.onnx".equals(proto.getDomain()) ? "" : proto.getDomain(), proto.getOpType());
            List<Value> inputs = new ArrayList<>();
            proto.getInputList().forEach(name -> inputs.add(name.isEmpty() ? null : graph.value(name)));
            List<String> outputs = new ArrayList<>();
            List<ValueType> outputTypes = new ArrayList<>();
            proto.getOutputList().forEach(name -> {
                outputs.add(name.isEmpty() ? null : name);
                outputTypes.add(types.get(name));
            });
            graph.addTyped(operator, inputs, attributes(proto), outputs, outputTypes);
        }

        private Attributes attributes(NodeProto node) {
            Map<String, Object> values = new LinkedHashMap<>();
            node.getAttributeList().forEach(attribute -> values.put(attribute.getName(), value(node, attribute)));
            return Attributes.of(values);
        }

        private Object value(NodeProto node, AttributeProto attribute) {
            return switch (attribute.getType()) {
                case INT -> attribute.getI();
                case FLOAT -> attribute.getF();
                case STRING -> attribute.getS().toStringUtf8();
                case INTS -> List.copyOf(attribute.getIntsList());
                case FLOATS -> List.copyOf(attribute.getFloatsList());
                case TENSOR -> inline(
                        attribute.getT(),
                        elementType(attribute.getName(), attribute.getT().getDataType()),
                        shape(attribute.getT()));
                default -> throw MalformedFileException.of(
                        file,
                        "node \"" + node.getName() + "\" (" + node.getOpType() + "): attribute " + attribute.getName()
                                + " of type " + attribute.getType() + " is not supported");
            };
        }
    }
}
