package dev.holdfast.model;

import dev.holdfast.tensor.Shape;

/**
 * A weight of a model.
 *
 * @param name as Hugging Face checkpoints have it, for example {@code model.layers.0.self_attn.q_proj.weight}
 * @param shape as Hugging Face checkpoints have it: linear layers [out, in], GPT-2's [in, out]
 */
public record Parameter(String name, Shape shape) {}
