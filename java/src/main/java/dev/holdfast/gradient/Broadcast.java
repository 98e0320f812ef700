package dev.holdfast.gradient;

import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** Undoes broadcasting: what one element was copied to, its gradient is summed over. */
final class Broadcast {
    private static final Dimension ONE = Dimension.of(1);

    private Broadcast() {}

    /**
     * Sums a gradient over the axes along which an operand was broadcast.
     *
     * @param node whose operand it is
     * @param gradient of the broadcast shape
     * @param target the operand's type, which the result has
     * @param others the types that it was broadcast against
     */
    static Value undo(NodeGradient node, Value gradient, TensorType target, List<TensorType> others) {
        int rank = node.typeOf(gradient).rank();
        int added = rank - target.rank();
        List<Long> stretched = new ArrayList<>();
        for (int axis = 0; axis < target.rank(); axis++) {
            if (isStretched(node, target, others, axis - target.rank())) {
                stretched.add((long) axis);
            }
        }
        Operators operators = node.operators();
        Value summed = gradient;
        if (added > 0) {
            summed = operators.reduceSum(
                    summed, false, LongStream.range(0, added).toArray());
        }
        if (!stretched.isEmpty()) {
            summed = operators.reduceSum(
                    summed, true, stretched.stream().mapToLong(Long::longValue).toArray());
        }
        return summed;
    }

    private static boolean isStretched(NodeGradient node, TensorType target, List<TensorType> others, int axisFromEnd) {
        Dimension own = target.dimension(axisFromEnd);
        List<Dimension> opposite = others.stream()
                .filter(other -> other.rank() >= -axisFromEnd)
                .map(other -> other.dimension(axisFromEnd))
                .filter(dimension -> !dimension.equals(ONE))
                .toList();
        if (own.isFixed()) {
            return own.equals(ONE) && !opposite.isEmpty();
        }
        opposite.stream()
                .filter(dimension -> own.isUnknown() || !dimension.equals(own))
                .findFirst()
                .ifPresent(dimension -> {
                    throw node.refusal("expected dimension " + own + " of " + target
                            + " to broadcast in a way that is known when the graph is built, got " + dimension
                            + " against it; declare equal sizes by equal symbols");
                });
        return false;
    }
}
