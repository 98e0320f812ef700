package dev.holdfast.model;

/**
 * A linear layer of a block, y = W·x + bias.
 *
 * @param name of the module, for example {@code model.layers.0.self_attn.q_proj}; its weight is {@code <name>.weight}
 * @param inputSize width of x
 * @param outputSize width of y
 */
public record LinearLayer(String name, int inputSize, int outputSize) {
    /** The name of the parameter W. */
    public String weight() {
        return name + ".weight";
    }

    /** The name of the bias. */
    public String bias() {
        return name + ".bias";
    }
}
