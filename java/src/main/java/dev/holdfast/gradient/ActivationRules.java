package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Value;

/** Rules of activation functions; ONNX Runtime has an operator for each derivative. */
final class ActivationRules {
    private static final float QUICK_GELU_ALPHA = 1.702f;

    private ActivationRules() {}

    /** y = x·Φ(x), Φ the normal distribution's cumulative function or its tanh approximation: dx = dy·(Φ(x) + x·Φ'(x)). */
    static void gelu(NodeGradient node) {
        boolean approximate = node.attributes().text("approximate", "none").equals("tanh");
        Operator gradient = approximate ? Operator.FAST_GELU_GRAD : Operator.GELU_GRAD;
        node.contribute(0, node.operators().add(gradient, Attributes.NONE, node.outputGradient(), node.input(0)));
    }

    /** y = x·σ(αx): dx = dy·σ(αx)·(1 + αx·(1 - σ(αx))). */
    static void quickGelu(NodeGradient node) {
        Attributes alpha = Attributes.of("alpha", node.attributes().real("alpha", QUICK_GELU_ALPHA));
        node.contribute(0, node.operators().add(Operator.QUICK_GELU_GRAD, alpha, node.outputGradient(), node.input(0)));
    }

    /** y = gate·σ(gate)·up. */
    static void swiGlu(NodeGradient node) {
        Node gradient = node.operators()
                .node(Operator.SWI_GLU_GRAD, 2, Attributes.NONE, node.outputGradient(), node.input(0), node.input(1));
        node.contribute(0, gradient.output(0));
        node.contribute(1, gradient.output(1));
    }

    /** y = softmax(x): dx = y·(dy - Σ dy·y). */
    static void softmax(NodeGradient node) {
        Attributes axis = Attributes.of("axis", node.attributes().integer("axis", -1));
        Value gradient = node.operators().add(Operator.SOFTMAX_GRAD, axis, node.outputGradient(), node.output(0));
        node.contribute(0, gradient);
    }

    /** y = x·mask/(1-ratio), the mask a function of the key alone: dx = dy·mask/(1-ratio). */
    static void seededDropout(NodeGradient node) {
        node.contribute(
                0,
                node.operators().add(Operator.SEEDED_DROPOUT, node.attributes(), node.outputGradient(), node.input(1)));
    }
}
