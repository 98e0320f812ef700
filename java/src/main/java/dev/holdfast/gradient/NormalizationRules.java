package dev.holdfast.gradient;

import dev.holdfast.onnx.Attributes;
import dev.holdfast.onnx.Node;
import dev.holdfast.onnx.Operator;
import dev.holdfast.onnx.TensorType;
import dev.holdfast.tensor.ElementType;

/** Rules of normalisation over the last axes. */
final class NormalizationRules {
    private static final float DEFAULT_EPSILON = 1e-5f;

    private NormalizationRules() {}

    /** y = x̂·scale + bias with x̂ = (x - mean)·r, r = 1/√(variance + ε): dx = r·(g - mean(g) - x̂·mean(g·x̂)) with g = dy·scale. */
    static void layerNormalization(NodeGradient node) {
        Attributes axis = Attributes.of("axis", node.attributes().integer("axis", -1));
        Node gradient = node.operators()
                .node(
                        Operator.LAYER_NORMALIZATION_GRAD,
                        3,
                        axis,
                        node.outputGradient(),
                        node.input(0),
                        node.input(1),
                        node.output(1),
                        node.output(2));
        node.contribute(0, gradient.output(0));
        node.contribute(1, gradient.output(1));
        node.contribute(2, gradient.output(2));
    }

    /** y = x̂·scale with x̂ = x·r, r = 1/√(mean(x²) + ε): dx = r·(g - x̂·mean(g·x̂)) with g = dy·scale; dscale = Σ dy·x̂ over rows. */
    static void rmsNormalization(NodeGradient node) {
        if (node.prefersHoldfastOperators() && fitsHoldfastOperator(node)) {
            rmsNormalizationByHoldfast(node);
        } else {
            rmsNormalizationByStock(node);
        }
    }

    private static boolean fitsHoldfastOperator(NodeGradient node) {
        TensorType x = node.type(0);
        long axis = node.attributes().integer("axis", -1);
        boolean lastAxis = axis == -1 || axis == x.rank() - 1;
        return lastAxis && x.elementType() == ElementType.FLOAT && node.type(1).elementType() == ElementType.FLOAT;
    }

    private static void rmsNormalizationByHoldfast(NodeGradient node) {
        Attributes epsilon = Attributes.of("epsilon", node.attributes().real("epsilon", DEFAULT_EPSILON));
        Node gradient = node.operators()
                .node(
                        Operator.RMS_NORM_GRAD,
                        2,
                        epsilon,
                        node.outputGradient(),
                        node.input(0),
                        node.input(1),
                        node.wants(0) ? node.takePending(0).orElse(null) : null);
        node.contribute(0, gradient.output(0));
        node.contribute(1, gradient.output(1));
    }

    private static void rmsNormalizationByStock(NodeGradient node) {
        Attributes axis = Attributes.of("axis", node.attributes().integer("axis", -1));
        Node gradient = node.operators()
                .node(
                        Operator.SIMPLIFIED_LAYER_NORMALIZATION_GRAD,
                        2,
                        axis,
                        node.outputGradient(),
                        node.input(0),
                        node.input(1),
                        node.output(1));
        node.contribute(0, gradient.output(0));
        node.contribute(1, gradient.output(1));
    }
}
