package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import java.util.List;
import java.util.stream.LongStream;

/** Rules of operators that only move elements. */
final class LayoutRules {
    private LayoutRules() {}

    /** y = x in another shape: dx = dy in x's. */
    static void reshape(NodeGradient node) {
        node.type(0);
        node.contribute(0, node.shapes().reshapeLike(node.operators(), node.outputGradient(), node.input(0)));
    }

    /** y = x with its axes permuted: dx = dy with the inverse permutation. */
    static void transpose(NodeGradient node) {
        int rank = node.type(0).rank();
        long[] inverse = new long[rank];
        boolean given = node.attributes().has("perm");
        for (int axis = 0; axis < rank; axis++) {
            int from = given ? (int) node.attributes().integers("perm")[axis] : rank - 1 - axis;
            inverse[from] = axis;
        }
        node.contribute(0, node.operators().transpose(node.outputGradient(), inverse));
    }

    /** y = the parts x_i joined: dx_i = the part of dy at its place. */
    static void concat(NodeGradient node) {
        int axis = (int) node.attributes().integer("axis", 0);
        int count = node.node().inputCount();
        long[] sizes = new long[count];
        for (int i = 0; i < count; i++) {
            Dimension size = node.type(i).dimension(axis);
            if (!size.isFixed()) {
                throw node.refusal("expected fixed sizes along axis " + axis + ", got " + node.input(i));
            }
            sizes[i] = size.size();
        }
        List<Value> parts = node.operators().split(node.outputGradient(), axis, sizes);
        for (int i = 0; i < count; i++) {
            node.contribute(i, parts.get(i));
        }
    }

    /** y_i = the parts of x: dx = the dy_i joined, zeros where the loss does not depend on a part. */
    static void split(NodeGradient node) {
        Value[] parts = new Value[node.node().outputCount()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = node.outputGradientOrZeros(i);
        }
        node.contribute(0, node.operators().concat((int) node.attributes().integer("axis", 0), parts));
    }

    /** y = x[start:end]: dx = dy with zeros before and after. */
    static void slice(NodeGradient node) {
        TensorType x = node.type(0);
        long[] starts = node.constantLongs(1);
        long[] ends = node.constantLongs(2);
        long[] axes = node.node().hasInput(3)
                ? node.constantLongs(3)
                : LongStream.range(0, starts.length).toArray();
        requireUnitSteps(node);
        long[] padding = new long[2 * x.rank()];
        for (int i = 0; i < axes.length; i++) {
            int axis = (int) (axes[i] < 0 ? axes[i] + x.rank() : axes[i]);
            if (!x.dimension(axis).isFixed()) {
                throw node.refusal("expected a fixed size along axis " + axis + ", got " + node.input(0));
            }
            long size = x.dimension(axis).size();
            long start = clamp(starts[i], size);
            padding[axis] = start;
            padding[axis + x.rank()] = size - Math.max(clamp(ends[i], size), start);
        }
        Operators operators = node.operators();
        node.contribute(
                0, operators.add(Operator.PAD, Attributes.NONE, node.outputGradient(), operators.longs(padding)));
    }

    private static void requireUnitSteps(NodeGradient node) {
        if (node.node().hasInput(4)) {
            for (long step : node.constantLongs(4)) {
                if (step != 1) {
                    throw node.refusal("expected steps of 1, got " + step);
                }
            }
        }
    }

    private static long clamp(long index, long size) {
        return Math.max(0, Math.min(size, index < 0 ? index + size : index));
    }
}
