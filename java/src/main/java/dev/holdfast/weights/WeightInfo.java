package dev.holdfast.weights;

import dev.holdfast.tensor.Shape;

/**
 * What is known of a stored parameter without reading it.
 *
 * @param name the parameter's name
 * @param format how its values are stored, in the file format's own word, such as {@code BF16} or {@code Q4_K}
 * @param shape its dimensions, outermost first
 */
public record WeightInfo(String name, String format, Shape shape) {}
