package dev.holdfast.gradient;

import dev.holdfast.error.InvalidGraphException;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Value;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Appends the backward pass to a graph.
 *
 * <p>With a scalar loss {@code l}, the gradient of a value {@code v} is {@code ∂l/∂v}: a value of the same shape and element type.
 * Reverse mode: from the gradients of a node's outputs follow those of its inputs, {@code ∂l/∂x = Σ ∂l/∂y · ∂y/∂x}, summed over all
 * uses of {@code x}. Only nodes on a path from a wanted value to a seed are differentiated.
 *
 * <p>The result lists the gradients in the order in which they are complete, those nearest to the seeds first. ONNX Runtime runs a
 * graph from its last leaf node: whoever appends a consumer to each gradient (an accumulator, say) should do so in the reverse of that
 * order, so that each layer's gradients are consumed, and its buffers free, before the layer below begins.
 *
 * <p>Thread safety: none.
 */
public final class Gradients {
    private Gradients() {}

    /**
     * Appends the backward pass to a graph; every wanted value must be connected.
     *
     * @param graph the forward pass; the backward pass is appended to it
     * @param seeds for each value that the loss depends on directly, the value that holds its gradient (same shape and element type)
     * @param withRespectTo the values whose gradients are wanted; floating-point tensors
     * @param kernels what the backward pass may be made of
     * @return the gradient of every wanted value, in the order in which they are complete
     * @throws InvalidGraphException if an operator on the way cannot be differentiated, a broadcast cannot be undone, or no path leads
     *     from a wanted value to a seed
     * @throws IllegalArgumentException if a wanted value is not a floating-point tensor, or a seed is not of its value's type
     */
    public static Map<Value, Value> append(
            Graph graph, Map<Value, Value> seeds, Collection<Value> withRespectTo, Kernels kernels) {
        return append(graph, seeds, withRespectTo, kernels, Map.of());
    }

    /**
     * As above, with memory of the caller's for some of the gradients. The result has, for a gradient that was accumulated there, the
     * output of the operator that added to it last.
     *
     * @param buffers where to accumulate the gradient of a wanted value
     */
    public static Map<Value, Value> append(
            Graph graph,
            Map<Value, Value> seeds,
            Collection<Value> withRespectTo,
            Kernels kernels,
            Map<Value, GradientBuffer> buffers) {
        Map<Value, Value> gradients = appendConnected(graph, seeds, withRespectTo, kernels, buffers);
        List<String> missing = withRespectTo.stream()
                .filter(wanted -> !gradients.containsKey(wanted))
                .map(Value::name)
                .toList();
        if (!missing.isEmpty()) {
            throw new InvalidGraphException("graph " + graph.name()
                    + ": expected the loss to depend on every value to differentiate by, got " + missing.size()
                    + " without a path to it: " + String.join(", ", missing) + "; freeze them or use them");
        }
        return gradients;
    }

    /**
     * As {@link #append}, but wanted values that no path connects with a seed are absent from the result instead of refused: their
     * gradient is zero.
     */
    public static Map<Value, Value> appendConnected(
            Graph graph, Map<Value, Value> seeds, Collection<Value> withRespectTo, Kernels kernels) {
        return appendConnected(graph, seeds, withRespectTo, kernels, Map.of());
    }

    private static Map<Value, Value> appendConnected(
            Graph graph,
            Map<Value, Value> seeds,
            Collection<Value> withRespectTo,
            Kernels kernels,
            Map<Value, GradientBuffer> buffers) {
        withRespectTo.forEach(Gradients::requireFloatingPoint);
        seeds.forEach(Gradients::requireSameType);
        Map<Value, Value> gradients = new Backpropagation(graph, seeds, withRespectTo, kernels, buffers).run();
        return inOrderOfCompletion(graph, gradients);
    }

    private static void requireFloatingPoint(Value wanted) {
        if (!Backpropagation.mayHaveGradient(wanted)) {
            throw new IllegalArgumentException("gradient of " + wanted + ": expected a floating-point tensor");
        }
    }

    private static void requireSameType(Value value, Value gradient) {
        boolean same = value.type().elementType() == gradient.type().elementType()
                && value.type().rank() == gradient.type().rank();
        if (!same) {
            throw new IllegalArgumentException(
                    "gradient of " + value + ": expected a value of the same type, got " + gradient);
        }
    }

    private static Map<Value, Value> inOrderOfCompletion(Graph graph, Map<Value, Value> gradients) {
        Map<Node, Integer> positions = new HashMap<>();
        graph.nodes().forEach(node -> positions.put(node, positions.size()));
        Map<Value, Value> ordered = new LinkedHashMap<>();
        gradients.entrySet().stream()
                .sorted(Comparator.comparing(
                        entry -> entry.getValue().producer().map(positions::get).orElse(-1)))
                .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
        return ordered;
    }
}
