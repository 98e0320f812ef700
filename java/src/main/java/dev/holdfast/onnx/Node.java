package dev.holdfast.onnx;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One application of an operator. Omitted optional inputs and outputs are absent in place, so positions are the operator's.
 */
public final class Node {
    private final String name;
    private final OperatorName operator;
    private final List<Value> inputs;
    private final Attributes attributes;
    private List<Value> outputs = List.of();

    Node(String name, OperatorName operator, List<Value> inputs, Attributes attributes) {
        this.name = name;
        this.operator = operator;
        this.inputs = Collections.unmodifiableList(new ArrayList<>(inputs));
        this.attributes = attributes;
    }

    void setOutputs(List<Value> values) {
        outputs = Collections.unmodifiableList(new ArrayList<>(values));
    }

    /** The name, unique in its graph. */
    public String name() {
        return name;
    }

    /** The operator's domain and name. */
    public OperatorName operatorName() {
        return operator;
    }

    /** The operator, if it is one that Holdfast knows. */
    public Optional<Operator> operator() {
        return Operator.find(operator);
    }

    /** The attributes. */
    public Attributes attributes() {
        return attributes;
    }

    /** How many input positions there are, omitted ones included. */
    public int inputCount() {
        return inputs.size();
    }

    /** How many output positions there are, omitted ones included. */
    public int outputCount() {
        return outputs.size();
    }

    /** Whether there is an input at this position. */
    public boolean hasInput(int index) {
        return index < inputs.size() && inputs.get(index) != null;
    }

    /** Whether there is an output at this position. */
    public boolean hasOutput(int index) {
        return index < outputs.size() && outputs.get(index) != null;
    }

    /**
     * The input at a position.
     *
     * @throws IllegalArgumentException if it is omitted
     */
    public Value input(int index) {
        if (!hasInput(index)) {
            throw new IllegalArgumentException(this + ": has no input " + index);
        }
        return inputs.get(index);
    }

    /**
     * The output at a position.
     *
     * @throws IllegalArgumentException if it is omitted
     */
    public Value output(int index) {
        if (!hasOutput(index)) {
            throw new IllegalArgumentException(this + ": has no output " + index);
        }
        return outputs.get(index);
    }

    /** The only output of a node that has one, or the first. */
    public Value output() {
        return output(0);
    }

    /** The inputs by position; null where one is omitted. */
    public List<Value> inputs() {
        return inputs;
    }

    /** The outputs by position; null where one is omitted. */
    public List<Value> outputs() {
        return outputs;
    }

    /** For example {@code Add "layer.0/add" (x:FLOAT[B, 4], y:FLOAT[4])}. */
    @Override
    public String toString() {
        String arguments = inputs.stream().map(Objects::toString).collect(Collectors.joining(", "));
        return operator + " \"" + name + "\" (" + arguments + ")";
    }
}
