package dev.holdfast.gradient;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** One node as its rule sees it: what it computed, the gradients of its outputs, and where those of its inputs go. */
final class NodeGradient {
    private final Backpropagation walk;
    private final Node node;
    private final Operators operators;

    NodeGradient(Backpropagation walk, Node node, Operators operators) {
        this.walk = walk;
        this.node = node;
        this.operators = operators;
    }

    Node node() {
        return node;
    }

    Attributes attributes() {
        return node.attributes();
    }

    /** Where the rule appends its nodes. */
    Operators operators() {
        return operators;
    }

    boolean prefersHoldfastOperators() {
        return operators.kernels() == Kernels.HOLDFAST;
    }

    ShapeOperands shapes() {
        return walk.shapes();
    }

    /** Whether a gradient of this input is of use. */
    boolean wants(int input) {
        return node.hasInput(input) && walk.isDependent(node.input(input));
    }

    Value input(int index) {
        return node.input(index);
    }

    /**
     * An output of the forward pass that the rule builds on.
     *
     * @throws InvalidGraphException if the node omits it
     */
    Value output(int index) {
        if (!node.hasOutput(index)) {
            throw refusal("expected its output " + index + " to be given, which the gradient is computed from");
        }
        return node.output(index);
    }

    TensorType type(int input) {
        return typeOf(input(input));
    }

    TensorType typeOf(Value value) {
        return value.knownType()
                .filter(TensorType.class::isInstance)
                .map(TensorType.class::cast)
                .orElseThrow(() -> refusal("expected the type of " + value.name() + " to be known"));
    }

    /** The gradient of the first output; no other output may have one. */
    Value outputGradient() {
        for (int i = 1; i < node.outputCount(); i++) {
            if (node.hasOutput(i) && walk.pending(node.output(i)).isPresent()) {
                throw refusal("expected only its first output to be used, got a gradient of output " + i);
            }
        }
        return walk.pending(output(0)).orElseThrow();
    }

    /** The gradient of an output, or zeros if the loss does not depend on it. */
    Value outputGradientOrZeros(int index) {
        Value output = output(index);
        return walk.pending(output).orElseGet(() -> zerosLike(output));
    }

    Value zerosLike(Value value) {
        HostTensor zero = HostTensor.allocate(typeOf(value).elementType(), Shape.of(1));
        return operators.add(Operator.CONSTANT_OF_SHAPE, Attributes.of("value", zero), shapes().of(operators, value));
    }

    /**
     * Takes over the gradient that other uses of an input have contributed so far: the rule must contribute a value that includes it.
     */
    Optional<Value> takePending(int input) {
        return walk.takePending(input(input));
    }

    /** Whether the gradient of an input goes into memory of the caller's, where {@link #accumulate} adds to it. */
    boolean accumulates(int input) {
        return wants(input) && walk.buffer(input(input)).isPresent();
    }

    /** Adds to the gradient of an input in the caller's memory: the operator takes left, right, the total so far and whether to reset it. */
    void accumulate(int input, Operator operator, Attributes attributes, Value left, Value right) {
        GradientBuffer buffer = walk.buffer(input(input)).orElseThrow();
        Value total = operators.add(
                operator,
                attributes,
                left,
                right,
                buffer.total(),
                buffer.reset().orElse(null));
        walk.setBuffer(input(input), GradientBuffer.begun(total));
    }

    /** Adds to the gradient of an input, if it wants one; {@code gradient} has the input's shape. */
    void contribute(int input, Value gradient) {
        if (wants(input)) {
            requireNotAccumulated(input);
            Optional<Value> soFar = takePending(input);
            walk.setPending(
                    input(input),
                    soFar.map(pending -> operators.add(pending, gradient)).orElse(gradient));
        }
    }

    private void requireNotAccumulated(int input) {
        if (walk.buffer(input(input)).filter(GradientBuffer::isBegun).isPresent()) {
            throw refusal("expected " + input(input).name()
                    + " to be used by products and lookups of rows alone, as its gradient is accumulated in place");
        }
    }

    /** Subtracts from the gradient of an input, if it wants one; {@code gradient} has the input's shape. */
    void subtract(int input, Value gradient) {
        if (wants(input)) {
            requireNotAccumulated(input);
            Optional<Value> soFar = takePending(input);
            walk.setPending(
                    input(input),
                    soFar.map(pending -> operators.sub(pending, gradient)).orElseGet(() -> operators.neg(gradient)));
        }
    }

    /** A gradient of the broadcast output, summed to the shape of one input; the other inputs say which axes were broadcast. */
    Value summedTo(int input, Value gradient) {
        List<TensorType> others = node.inputs().stream()
                .filter(value -> value != null && value != input(input))
                .map(this::typeOf)
                .toList();
        return Broadcast.undo(this, gradient, type(input), others);
    }

    /** A scalar constant in the element type of a value. */
    Value scalar(float number, ElementType elementType) {
        Value constant = operators.floatScalar(number);
        return elementType == ElementType.FLOAT ? constant : operators.cast(constant, elementType);
    }

    /** A value that several nodes need: computed once for the same purpose and source. */
    Value once(String purpose, Value source, Supplier<Value> computation) {
        return walk.once(List.of(purpose, source), computation);
    }

    /**
     * The constant that an input is.
     *
     * @throws InvalidGraphException if it is none
     */
    long[] constantLongs(int input) {
        return operators
                .graph()
                .constantValue(input(input))
                .map(HostTensor::toLongArray)
                .orElseThrow(() -> refusal("expected input " + input + " to be a constant"));
    }

    /** Refuses if a gradient of this input is wanted. */
    void requireConstant(int input) {
        if (wants(input)) {
            throw refusal("expected input " + input + " to be constant, got one that a gradient is wanted of");
        }
    }

    InvalidGraphException refusal(String expectation) {
        return new InvalidGraphException(node + ": cannot be differentiated: " + expectation);
    }
}
