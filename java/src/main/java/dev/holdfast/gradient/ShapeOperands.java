package dev.holdfast.gradient;

import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Graph;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the cheapest operand that says a shape: a constant, else one that the forward pass computes anyway, else the operator Shape.
 *
 * <p>Constants come first because Shape keeps its input alive, and on CUDA takes it to the host.
 */
final class ShapeOperands {
    private final Graph graph;
    private final Map<Value, Value> shapes = new HashMap<>();
    private final Map<List<Dimension>, Value> reshapeOperands = new HashMap<>();

    ShapeOperands(Graph graph, List<Node> forward) {
        this.graph = graph;
        forward.forEach(this::remember);
    }

    private void remember(Node node) {
        Operator operator = node.operator().orElse(null);
        if (operator == Operator.SHAPE && node.attributes().asMap().isEmpty()) {
            shapes.putIfAbsent(node.input(0), node.output());
        } else if (operator == Operator.RESHAPE && isPlainShape(node.input(1))) {
            knownDimensions(node.output())
                    .ifPresent(dimensions -> reshapeOperands.putIfAbsent(dimensions, node.input(1)));
        }
    }

    /** Whether an operand surely holds no 0, which would copy a dimension of whatever is reshaped. */
    private boolean isPlainShape(Value operand) {
        Optional<Operator> producer = operand.producer().flatMap(Node::operator);
        if (producer.equals(Optional.of(Operator.CONCAT))) {
            return operand.producer().orElseThrow().inputs().stream().allMatch(this::isPlainShape);
        }
        return graph.constantValue(operand)
                .map(constant -> Arrays.stream(constant.toLongArray()).noneMatch(size -> size == 0))
                .orElse(producer.equals(Optional.of(Operator.SHAPE))
                        || producer.equals(Optional.of(Operator.GATHER))
                        || producer.equals(Optional.of(Operator.SLICE)));
    }

    private static Optional<List<Dimension>> knownDimensions(Value value) {
        return value.knownType()
                .filter(TensorType.class::isInstance)
                .map(type -> ((TensorType) type).dimensions())
                .filter(dimensions -> dimensions.stream().noneMatch(Dimension::isUnknown));
    }

    /** The shape of a value, every dimension as a number. */
    Value of(Operators operators, Value value) {
        List<Dimension> dimensions = value.type().dimensions();
        if (dimensions.stream().allMatch(Dimension::isFixed)) {
            return operators.longs(
                    dimensions.stream().mapToLong(Dimension::size).toArray());
        }
        return shapes.computeIfAbsent(value, operators::shape);
    }

    /** A value with its elements in the shape of another, which has as many. */
    Value reshapeLike(Operators operators, Value value, Value like) {
        List<Dimension> dimensions = like.type().dimensions();
        return operators.reshape(value, reshapeOperand(operators, value, like), dimensions);
    }

    private Value reshapeOperand(Operators operators, Value value, Value like) {
        Optional<long[]> constant =
                constantFor(value.type().dimensions(), like.type().dimensions());
        if (constant.isPresent()) {
            return operators.longs(constant.get());
        }
        Value existing = shapes.containsKey(like)
                ? null
                : reshapeOperands.get(like.type().dimensions());
        return existing != null ? existing : of(operators, like);
    }

    /** Reshape's notation: 0 copies the dimension at the same axis, one -1 stands for what is left. */
    private static Optional<long[]> constantFor(List<Dimension> from, List<Dimension> to) {
        long[] target = new long[to.size()];
        boolean restUsed = false;
        for (int axis = 0; axis < target.length; axis++) {
            Dimension dimension = to.get(axis);
            if (dimension.isFixed()) {
                target[axis] = dimension.size();
            } else if (!dimension.isUnknown()
                    && axis < from.size()
                    && from.get(axis).equals(dimension)) {
                target[axis] = 0;
            } else if (restUsed) {
                return Optional.empty();
            } else {
                target[axis] = -1;
                restUsed = true;
            }
        }
        return Optional.of(target);
    }
}
