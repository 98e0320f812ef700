package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.ElementType;

/** Rules of operators that compute each element from one element of each operand. */
final class ElementwiseRules {
    private ElementwiseRules() {}

    /** y = a + b: da = dy, db = dy. */
    static void add(NodeGradient node) {
        Value dy = node.outputGradient();
        if (node.wants(0)) {
            node.contribute(0, node.summedTo(0, dy));
        }
        if (node.wants(1)) {
            node.contribute(1, node.summedTo(1, dy));
        }
    }

    /** y = a - b: da = dy, db = -dy. */
    static void sub(NodeGradient node) {
        Value dy = node.outputGradient();
        if (node.wants(0)) {
            node.contribute(0, node.summedTo(0, dy));
        }
        if (node.wants(1)) {
            node.subtract(1, node.summedTo(1, dy));
        }
    }

    /** y = a·b: da = dy·b, db = dy·a. */
    static void mul(NodeGradient node) {
        Value dy = node.outputGradient();
        if (node.wants(0)) {
            node.contribute(0, node.summedTo(0, node.operators().mul(dy, node.input(1))));
        }
        if (node.wants(1)) {
            node.contribute(1, node.summedTo(1, node.operators().mul(dy, node.input(0))));
        }
    }

    /** y = a/b: da = dy/b, db = -da·y. */
    static void div(NodeGradient node) {
        Operators operators = node.operators();
        Value quotient = operators.add(Operator.DIV, Attributes.NONE, node.outputGradient(), node.input(1));
        if (node.wants(0)) {
            node.contribute(0, node.summedTo(0, quotient));
        }
        if (node.wants(1)) {
            node.subtract(1, node.summedTo(1, operators.mul(quotient, node.output(0))));
        }
    }

    /** y = -x: dx = -dy. */
    static void neg(NodeGradient node) {
        node.subtract(0, node.outputGradient());
    }

    /** y = cos x: dx = -dy·sin x. */
    static void cos(NodeGradient node) {
        Value sine = node.operators().add(Operator.SIN, Attributes.NONE, node.input(0));
        node.subtract(0, node.operators().mul(node.outputGradient(), sine));
    }

    /** y = sin x: dx = dy·cos x. */
    static void sin(NodeGradient node) {
        Value cosine = node.operators().add(Operator.COS, Attributes.NONE, node.input(0));
        node.contribute(0, node.operators().mul(node.outputGradient(), cosine));
    }

    /**
     * y = c ? a : b: da = dy·c, db = dy·(1 - c), with the condition c as 0 and 1: ONNX Runtime's Where is one thread and three passes.
     */
    static void where(NodeGradient node) {
        Operators operators = node.operators();
        Value dy = node.outputGradient();
        ElementType elementType = node.type(1).elementType();
        Value chosen = node.once("as " + elementType, node.input(0), () -> operators.cast(node.input(0), elementType));
        if (node.wants(1)) {
            node.contribute(1, node.summedTo(1, operators.mul(dy, chosen)));
        }
        if (node.wants(2)) {
            Value other = node.once(
                    "complement as " + elementType,
                    node.input(0),
                    () -> operators.sub(node.scalar(1, elementType), chosen));
            node.contribute(2, node.summedTo(2, operators.mul(dy, other)));
        }
    }

    /** y = x in another floating-point type: dx = dy in x's. */
    static void cast(NodeGradient node) {
        node.contribute(
                0, node.operators().cast(node.outputGradient(), node.type(0).elementType()));
    }

    /** y = x: dx = dy. */
    static void identity(NodeGradient node) {
        node.contribute(0, node.outputGradient());
    }
}
