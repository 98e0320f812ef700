package dev.holdfast.gradient;

/** How gradients pass one node: reads the gradients of its outputs and contributes to those of its inputs. */
@FunctionalInterface
interface GradientRule {
    /** Contributes a gradient to every input of the node that wants one. */
    void apply(NodeGradient node);
}
