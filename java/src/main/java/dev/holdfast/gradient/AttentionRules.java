package dev.holdfast.gradient;

import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.Value;

/** Rules of rotary positions and of fused attention. */
final class AttentionRules {
    private AttentionRules() {}

    /** y = R(θ)·x with R orthogonal: dx = R(θ)ᵀ·dy = R(-θ)·dy, the rotation with negated sines. */
    static void rotaryEmbedding(NodeGradient node) {
        node.requireConstant(2);
        node.requireConstant(3);
        Value sines = node.input(3);
        Value negated = node.once("negated", sines, () -> node.operators().neg(sines));
        node.contribute(
                0,
                node.operators()
                        .add(
                                Operator.ROTARY_EMBEDDING,
                                node.attributes(),
                                node.outputGradient(),
                                node.input(1),
                                node.input(2),
                                negated));
    }

    /** o = softmax(scale·q·kᵀ + causal mask)·v, heads grouped; the operator recomputes the probabilities from the log-sum-exp. */
    static void causalAttention(NodeGradient node) {
        node.requireConstant(3);
        node.requireConstant(4);
        Node gradient = node.operators()
                .node(
                        Operator.CAUSAL_ATTENTION_GRAD,
                        3,
                        node.attributes(),
                        node.outputGradient(),
                        node.input(0),
                        node.input(1),
                        node.input(2),
                        node.output(0),
                        node.output(1),
                        node.node().hasInput(3) ? node.input(3) : null,
                        node.node().hasInput(4) ? node.input(4) : null);
        for (int i = 0; i < 3; i++) {
            node.contribute(i, gradient.output(i));
        }
    }
}
