package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Dimension;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;
import java.util.Optional;

/** The rule of Gather, y = x[indices]: dx = zeros, plus each row of dy at the row that it was taken from. */
final class GatherRule {
    private GatherRule() {}

    static void gather(NodeGradient node) {
        TensorType x = node.type(0);
        long axis = node.attributes().integer("axis", 0);
        boolean rowsOfMatrix = x.rank() == 2 && (axis == 0 || axis == -2) && x.elementType() == ElementType.FLOAT;
        if (rowsOfMatrix && node.accumulates(0)) {
            Operator operator = Operator.ACCUMULATE_EMBEDDING_GRAD;
            node.accumulate(0, operator, Attributes.NONE, node.input(1), node.outputGradient());
        } else if (node.prefersHoldfastOperators() && rowsOfMatrix) {
            node.contribute(0, rowGradient(node));
        } else {
            gatherGradient(node, axis);
        }
    }

    private static void gatherGradient(NodeGradient node, long axis) {
        Operators operators = node.operators();
        Value shape = node.shapes().of(operators, node.input(0));
        Attributes attributes = Attributes.of("axis", axis);
        node.contribute(
                0, operators.add(Operator.GATHER_GRAD, attributes, shape, node.input(1), node.outputGradient()));
    }

    /** Adds the rows to what is pending: with a tied head, that is the gradient which the head has left for the same matrix. */
    private static Value rowGradient(NodeGradient node) {
        Dimension rows = node.type(0).dimension(0);
        Optional<Value> base = node.takePending(0);
        if (base.isEmpty() && rows.isFixed()) {
            Attributes size = Attributes.of("vocabulary_size", rows.size());
            return node.operators().add(Operator.EMBEDDING_GRAD, size, node.input(1), node.outputGradient());
        }
        Value target = base.orElseGet(() -> node.zerosLike(node.input(0)));
        return node.operators()
                .add(Operator.EMBEDDING_GRAD, Attributes.NONE, node.input(1), node.outputGradient(), target);
    }
}
