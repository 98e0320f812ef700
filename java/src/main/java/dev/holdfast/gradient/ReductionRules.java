package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** Rules of sums and of their opposite, copies. */
final class ReductionRules {
    private ReductionRules() {}

    /** y = copies of x: dx = the sum of dy over them. */
    static void expand(NodeGradient node) {
        Value dy = node.outputGradient();
        node.contribute(0, Broadcast.undo(node, dy, node.type(0), List.of(node.typeOf(node.output(0)))));
    }

    /** y = Σ x over axes: dx = copies of dy along them. */
    static void reduceSum(NodeGradient node) {
        Operators operators = node.operators();
        Attributes attributes = node.attributes();
        TensorType x = node.type(0);
        long[] axes = node.node().hasInput(1) ? node.constantLongs(1) : new long[0];
        if (axes.length == 0 && attributes.integer("noop_with_empty_axes", 0) != 0) {
            node.contribute(0, node.outputGradient());
            return;
        }
        long[] reduced = axes.length == 0 ? LongStream.range(0, x.rank()).toArray() : fromStart(axes, x.rank());
        Value dy = node.outputGradient();
        boolean kept = attributes.integer("keepdims", 1) != 0 || x.rank() == 0;
        Value aligned = kept ? dy : operators.unsqueeze(dy, reduced);
        Value shape = expansion(x, reduced).map(operators::longs).orElseGet(() -> node.shapes()
                .of(operators, node.input(0)));
        node.contribute(0, operators.add(Operator.EXPAND, Attributes.NONE, aligned, shape));
    }

    private static long[] fromStart(long[] axes, int rank) {
        return Arrays.stream(axes)
                .map(axis -> axis < 0 ? axis + rank : axis)
                .sorted()
                .toArray();
    }

    /** Expand's operand with 1 for the dimensions that stay, if the sizes of the reduced ones are known. */
    private static Optional<long[]> expansion(TensorType x, long[] reduced) {
        long[] sizes = new long[x.rank()];
        Arrays.fill(sizes, 1);
        for (long axis : reduced) {
            Dimension dimension = x.dimension((int) axis);
            if (!dimension.isFixed()) {
                return Optional.empty();
            }
            sizes[(int) axis] = dimension.size();
        }
        return Optional.of(sizes);
    }

    /** y_i = Σ_{j ≤ i} x_j: dx_j = Σ_{i ≥ j} dy_i, the sum from the other end. */
    static void cumulativeSum(NodeGradient node) {
        Attributes otherEnd =
                node.attributes().with("reverse", 1 - node.attributes().integer("reverse", 0));
        node.contribute(0, node.operators().add(Operator.CUM_SUM, otherEnd, node.outputGradient(), node.input(1)));
    }
}
