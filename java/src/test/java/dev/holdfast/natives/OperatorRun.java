package dev.holdfast.natives;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.ModelFile;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.OperatorName;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.runtime.InferenceSession;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Runs one operator of the domain {@code dev.holdfast} under ONNX Runtime, as a model of a single node. */
public final class OperatorRun {
    private final String operator;
    private final Map<String, HostTensor> inputs = new LinkedHashMap<>();
    private final List<String> operands = new ArrayList<>();
    private final List<String> outputs = new ArrayList<>();
    private Attributes attributes = Attributes.NONE;
    private int threads = 2;
    private boolean bfloat16 = false;
    private String consumed = null;
    private Path library = NativeLibrary.load().operatorLibrary();

    public OperatorRun(String operator) {
        this.operator = operator;
    }

    /** The next input; null for one that is left out. */
    public OperatorRun input(String name, HostTensor tensor) {
        operands.add(tensor == null ? null : name);
        if (tensor != null) {
            inputs.put(name, tensor);
        }
        return this;
    }

    /** The next output; null for one that is left out. */
    public OperatorRun output(String name) {
        outputs.add(name);
        return this;
    }

    public OperatorRun attributes(Attributes chosen) {
        attributes = chosen;
        return this;
    }

    public OperatorRun threads(int count) {
        threads = count;
        return this;
    }

    /** Gives this output to another node instead of to the caller, whose memory it would need: then it can be an alias of an input. */
    public OperatorRun consumed(String output) {
        consumed = output;
        return this;
    }

    /** Another library than Holdfast's own. */
    public OperatorRun library(Path operators) {
        library = operators;
        return this;
    }

    /** Rounds the operands of matrix products. */
    public OperatorRun bfloat16(boolean rounded) {
        bfloat16 = rounded;
        return this;
    }

    /** The outputs by name. */
    public Map<String, HostTensor> run() {
        try (InferenceSession session = open()) {
            return session.run(inputs, wanted());
        }
    }

    /** The shapes that ONNX Runtime inferred for the outputs, as text. */
    public List<String> inferredShapes() {
        try (InferenceSession session = open()) {
            return session.outputs().stream().map(Object::toString).toList();
        }
    }

    private List<String> wanted() {
        return consumed != null
                ? List.of("addresses")
                : outputs.stream().filter(Objects::nonNull).toList();
    }

    private InferenceSession open() {
        SessionSettings settings = SessionSettings.defaults()
                .withIntraOpThreads(threads)
                .withBfloat16Products(bfloat16)
                .withOperatorLibrary(library);
        return InferenceSession.open(operator, ModelFile.toBytes(graph()), Path.of("."), settings);
    }

    private Graph graph() {
        Graph graph = new Graph(operator);
        List<Value> given = new ArrayList<>();
        for (String name : operands) {
            given.add(
                    name == null
                            ? null
                            : graph.find(name).orElseGet(() -> graph.input(name, typeOf(inputs.get(name)))));
        }
        Node node = graph.addTyped(new OperatorName("dev.holdfast", operator), given, attributes, outputs, List.of());
        if (consumed != null) {
            graph.output(consumer(graph, node.outputs().get(outputs.indexOf(consumed))));
        } else {
            node.outputs().stream().filter(Objects::nonNull).forEach(graph::output);
        }
        return graph;
    }

    private static Value consumer(Graph graph, Value value) {
        Value other = graph.inputs().get(0);
        return graph.add(Operator.GRADIENT_PORT, List.of(other, other, value), Attributes.NONE, List.of("addresses"))
                .output();
    }

    private static TensorType typeOf(HostTensor tensor) {
        return TensorType.of(tensor.elementType(), tensor.shape());
    }
}
