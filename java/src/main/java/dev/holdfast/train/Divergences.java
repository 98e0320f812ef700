package dev.holdfast.train;

/**
 * A divergence and the same with its sides exchanged, in nats.
 *
 * @param forward KL(a ‖ b)
 * @param reverse KL(b ‖ a)
 */
record Divergences(double forward, double reverse) {}
