package dev.holdfast.onnx;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * An ONNX graph under construction: inputs, initializers, nodes in an order in which they can run, outputs.
 *
 * <p>Nodes are only ever appended, so the order of the list is topological. Thread safety: none.
 */
public final class Graph {
    private final String name;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Set<Value> inputs = new LinkedHashSet<>();
    private final Map<Value, Initializer> initializers = new LinkedHashMap<>();
    private final Map<HostTensorKey, Value> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Set<String> nodeNames = new HashSet<>();
    private final Map<String, Integer> nameCounts = new LinkedHashMap<>();
    private final List<Value> outputs = new ArrayList<>();

    /** An empty graph. */
    public Graph(String name) {
        this.name = name;
    }

    /** The graph's name. */
    public String name() {
        return name;
    }

    /** The inputs, in order; those that are optional are initializers as well. */
    public List<Value> inputs() {
        return List.copyOf(inputs);
    }

    /** The outputs, in order. */
    public List<Value> outputs() {
        return Collections.unmodifiableList(outputs);
    }

    /** The nodes, in an order in which they can run. */
    public List<Node> nodes() {
        return Collections.unmodifiableList(nodes);
    }

    /** The constant values, in order. */
    public Map<Value, Initializer> initializers() {
        return Collections.unmodifiableMap(initializers);
    }

    /** The value with this name. */
    public Optional<Value> find(String valueName) {
        return Optional.ofNullable(values.get(valueName));
    }

    /**
     * The value with this name.
     *
     * @throws InvalidGraphException if there is none
     */
    public Value value(String valueName) {
        return find(valueName)
                .orElseThrow(() -> new InvalidGraphException("graph " + name + ": has no value \"" + valueName + "\""));
    }

    /**
     * Adds an input.
     *
     * @throws InvalidGraphException if the name is taken
     */
    public Value input(String inputName, ValueType type) {
        Value value = define(inputName, type, null);
        inputs.add(value);
        return value;
    }

    /**
     * Adds an input that takes a value of its own where a run gives it none.
     *
     * @param type may leave dimensions open that the value has
     * @throws InvalidGraphException if the name is taken
     */
    public Value optionalInput(String inputName, TensorType type, HostTensor otherwise) {
        Value value = input(inputName, type);
        initializers.put(value, new Initializer.Inline(otherwise));
        return value;
    }

    /**
     * Adds a constant value with a name of its own.
     *
     * @throws InvalidGraphException if the name is taken
     */
    public Value initializer(String initializerName, TensorType type, Initializer initializer) {
        Value value = define(initializerName, type, null);
        initializers.put(value, initializer);
        return value;
    }

    /** A small constant; equal constants are one value. */
    public Value constant(String nameHint, HostTensor tensor) {
        return constants.computeIfAbsent(
                new HostTensorKey(tensor),
                key -> initializer(
                        freshName(nameHint),
                        TensorType.of(tensor.elementType(), tensor.shape()),
                        new Initializer.Inline(tensor)));
    }

    /** The value of a constant that lives in this graph, if it is one. */
    public Optional<HostTensor> constantValue(Value value) {
        return !inputs.contains(value) && initializers.get(value) instanceof Initializer.Inline inline
                ? Optional.of(inline.tensor())
                : Optional.empty();
    }

    /**
     * Appends a node; the types of its outputs are inferred.
     *
     * @param operator the operator
     * @param operands the inputs by position; null for an omitted one
     * @param attributes the attributes
     * @param outputNames a name for each output; null for an omitted one
     * @throws InvalidGraphException if the operator does not take these inputs, or a name is taken
     */
    public Node add(Operator operator, List<Value> operands, Attributes attributes, List<String> outputNames) {
        Node node = append(operator.operatorName(), operands, attributes, outputNames.get(0));
        if (!operator.takesInputs(operands.size()) || !operator.givesOutputs(outputNames.size())) {
            throw new InvalidGraphException(node + ": has " + operands.size() + " inputs and " + outputNames.size()
                    + " outputs, which the operator does not take");
        }
        List<? extends ValueType> types = TypeInference.infer(operator, node, this);
        defineOutputs(node, outputNames, types);
        return node;
    }

    /**
     * Appends a node whose output types the caller declares, for operators that Holdfast does not know and for shapes that only the
     * caller knows.
     */
    public Node addTyped(
            OperatorName operator,
            List<Value> operands,
            Attributes attributes,
            List<String> outputNames,
            List<? extends ValueType> types) {
        Node node = append(
                operator,
                operands,
                attributes,
                outputNames.stream().filter(n -> n != null).findFirst().orElse(operator.type()));
        defineOutputs(node, outputNames, types);
        return node;
    }

    private Node append(OperatorName operator, List<Value> operands, Attributes attributes, String nameHint) {
        for (Value operand : operands) {
            if (operand != null && values.get(operand.name()) != operand) {
                throw new InvalidGraphException(
                        "graph " + name + ": " + operator + " takes " + operand + ", which is not of this graph");
            }
        }
        Node node = new Node(freshNodeName(nameHint), operator, operands, attributes);
        nodes.add(node);
        return node;
    }

    private void defineOutputs(Node node, List<String> outputNames, List<? extends ValueType> types) {
        List<Value> defined = new ArrayList<>();
        for (int i = 0; i < outputNames.size(); i++) {
            String outputName = outputNames.get(i);
            defined.add(outputName == null ? null : define(outputName, i < types.size() ? types.get(i) : null, node));
        }
        node.setOutputs(defined);
    }

    /**
     * Makes a value an output.
     *
     * @throws InvalidGraphException if it is one already
     */
    public void output(Value value) {
        if (outputs.contains(value)) {
            throw new InvalidGraphException("graph " + name + ": " + value + " is an output already");
        }
        outputs.add(value);
    }

    /** A copy of this graph with other initializers of the same names and types. */
    public Graph withInitializers(BiFunction<Value, Initializer, Initializer> replacement) {
        Graph copy = new Graph(name);
        Map<Value, Value> copies = new HashMap<>();
        inputs.forEach(value ->
                copies.put(value, copy.input(value.name(), value.knownType().orElse(null))));
        initializers.forEach((value, initializer) ->
                copies.put(value, copy.initializer(value.name(), value.type(), replacement.apply(value, initializer))));
        nodes.forEach(node -> copy.copyNode(node, copies));
        outputs.forEach(value -> copy.output(copies.get(value)));
        return copy;
    }

    private void copyNode(Node node, Map<Value, Value> copies) {
        List<Value> operands = new ArrayList<>();
        node.inputs().forEach(value -> operands.add(copies.get(value)));
        List<String> outputNames = new ArrayList<>();
        List<ValueType> types = new ArrayList<>();
        for (Value value : node.outputs()) {
            outputNames.add(value == null ? null : value.name());
            types.add(value == null ? null : value.knownType().orElse(null));
        }
        Node copied = addTyped(node.operatorName(), operands, node.attributes(), outputNames, types);
        for (int i = 0; i < outputNames.size(); i++) {
            if (node.hasOutput(i)) {
                copies.put(node.output(i), copied.output(i));
            }
        }
    }

    /** A value name that is not taken yet: the hint itself, or the hint with a number. */
    public String freshName(String hint) {
        String candidate = hint;
        while (values.containsKey(candidate)) {
            candidate = hint + "_" + nameCounts.merge(hint, 1, Integer::sum);
        }
        return candidate;
    }

    private String freshNodeName(String hint) {
        String candidate = hint;
        for (int i = 1; !nodeNames.add(candidate); i++) {
            candidate = hint + "_" + i;
        }
        return candidate;
    }

    private Value define(String valueName, ValueType type, Node producer) {
        if (values.containsKey(valueName)) {
            throw new InvalidGraphException("graph " + name + ": the name \"" + valueName + "\" is taken");
        }
        Value value = new Value(valueName, type, producer);
        values.put(valueName, value);
        return value;
    }

    /** Constants are compared by content, so that a shape used by thirty layers is stored once. */
    private record HostTensorKey(HostTensor tensor) {
        @Override
        public boolean equals(Object other) {
            return other instanceof HostTensorKey key
                    && tensor.elementType() == key.tensor.elementType()
                    && tensor.shape().equals(key.tensor.shape())
                    && tensor.bytes().equals(key.tensor.bytes());
        }

        @Override
        public int hashCode() {
            return 31 * tensor.shape().hashCode() + tensor.bytes().hashCode();
        }
    }
}
