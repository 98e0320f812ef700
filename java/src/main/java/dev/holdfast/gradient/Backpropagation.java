package dev.holdfast.gradient;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The walk: from the last node to the first, collecting for each value the gradient that has reached it so far. */
final class Backpropagation {
    private static final String SCOPE = "gradient";

    private final Graph graph;
    private final List<Node> forward;
    private final Set<Value> wanted;
    private final Kernels kernels;
    private final Set<Value> dependent;
    private final Map<Value, Value> pending;
    private final Map<Value, GradientBuffer> buffers;
    private final Map<List<Object>, Value> memory = new HashMap<>();
    private final ShapeOperands shapes;

    Backpropagation(
            Graph graph,
            Map<Value, Value> seeds,
            Collection<Value> wanted,
            Kernels kernels,
            Map<Value, GradientBuffer> buffers) {
        this.graph = graph;
        this.forward = List.copyOf(graph.nodes());
        this.wanted = new LinkedHashSet<>(wanted);
        this.kernels = kernels;
        this.dependent = dependentOn(this.wanted);
        this.pending = new HashMap<>(seeds);
        this.buffers = new HashMap<>(buffers);
        this.shapes = new ShapeOperands(graph, forward);
    }

    /** Appends the backward pass; the gradients of those wanted values that a path connects with a seed. */
    Map<Value, Value> run() {
        for (int i = forward.size() - 1; i >= 0; i--) {
            differentiate(forward.get(i));
        }
        Map<Value, Value> gradients = new LinkedHashMap<>();
        for (Value value : wanted) {
            buffer(value)
                    .filter(GradientBuffer::isBegun)
                    .map(GradientBuffer::total)
                    .or(() -> pending(value))
                    .ifPresent(gradient -> gradients.put(value, gradient));
        }
        return gradients;
    }

    private void differentiate(Node node) {
        boolean reached = node.outputs().stream().anyMatch(pending::containsKey);
        boolean needed = node.inputs().stream().anyMatch(dependent::contains);
        if (!reached || !needed) {
            return;
        }
        Derivative derivative = derivativeOf(node);
        if (derivative instanceof Derivative.Known known) {
            known.rule()
                    .apply(new NodeGradient(
                            this, node, Operators.on(graph, kernels).in(SCOPE).in(node.name())));
        } else if (derivative instanceof Derivative.Refused refused) {
            throw new InvalidGraphException(node + ": cannot be differentiated; " + refused.hint());
        }
    }

    private static Derivative derivativeOf(Node node) {
        Optional<Operator> operator = node.operator();
        return operator.map(DerivativeTable::of)
                .orElseGet(() ->
                        new Derivative.Refused("supported are " + String.join(", ", DerivativeTable.differentiable())));
    }

    /** All values that change when a wanted value changes: the wanted ones and what smooth operators compute from them. */
    private Set<Value> dependentOn(Set<Value> sources) {
        Set<Value> reached = new HashSet<>(sources);
        for (Node node : forward) {
            if (node.inputs().stream().anyMatch(reached::contains)
                    && !(derivativeOf(node) instanceof Derivative.None)) {
                node.outputs().stream()
                        .filter(Objects::nonNull)
                        .filter(Backpropagation::mayHaveGradient)
                        .forEach(reached::add);
            }
        }
        return reached;
    }

    /** Whether changes of a value can be small: false for whole numbers and for sequences. */
    static boolean mayHaveGradient(Value value) {
        return value.knownType()
                .map(type -> type instanceof TensorType tensor
                        && tensor.elementType().isFloatingPoint())
                .orElse(true);
    }

    boolean isDependent(Value value) {
        return dependent.contains(value);
    }

    Optional<Value> pending(Value value) {
        return Optional.ofNullable(pending.get(value));
    }

    Optional<Value> takePending(Value value) {
        return Optional.ofNullable(pending.remove(value));
    }

    void setPending(Value value, Value gradient) {
        pending.put(value, gradient);
    }

    /** Where the caller wants the gradient of a value; absent once it has begun elsewhere. */
    Optional<GradientBuffer> buffer(Value value) {
        return pending.containsKey(value) ? Optional.empty() : Optional.ofNullable(buffers.get(value));
    }

    void setBuffer(Value value, GradientBuffer buffer) {
        buffers.put(value, buffer);
    }

    ShapeOperands shapes() {
        return shapes;
    }

    /** A value that several nodes need and that is computed once, where the first of them is differentiated. */
    Value once(List<Object> key, Supplier<Value> computation) {
        Value known = memory.get(key);
        if (known == null) {
            known = computation.get();
            memory.put(key, known);
        }
        return known;
    }
}
