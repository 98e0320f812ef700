package dev.holdfast.model;

import dev.holdfast.onnx.Operators;
import dev.holdfast.onnx.Value;
import dev.holdfast.tensor.Shape;
import java.util.List;

/** A decoder family's computation, appended to graphs; what a graph does with it (train, score, generate) is the caller's. */
public sealed interface Decoder permits LlamaDecoder, Gpt2Decoder {
    /** The decoder of this configuration. */
    static Decoder of(ModelConfig config) {
        return config.family() == Family.GPT2 ? new Gpt2Decoder(config) : new LlamaDecoder(config);
    }

    /** The configuration. */
    ModelConfig config();

    /** All parameters, in the order in which the model uses them; a tied head is not listed twice. */
    List<Parameter> parameters();

    /** The linear layers of all blocks, in the order in which the model uses them; the head is none of them. */
    List<LinearLayer> linearLayers();

    /** Whether the weights of linear layers are stored [in, out] rather than [out, in]. */
    boolean storesInputFirst();

    /** The name of the embedding's parameter. */
    String embeddingName();

    /** The name of the parameter that the head multiplies with: the embedding's, where the head is tied. */
    String headName();

    /**
     * Appends the model up to its last norm.
     *
     * @param weights the parameters in that graph
     * @return hidden states, FLOAT[M, hiddenSize], M = B·T
     */
    Value hiddenStates(Operators operators, DecoderWeights weights, Sequence sequence);

    /**
     * Appends the head.
     *
     * @param hidden FLOAT[N, hiddenSize]
     * @param head FLOAT[vocabularySize, hiddenSize]
     * @return logits, FLOAT[N, vocabularySize]
     */
    static Value logits(Operators operators, Value hidden, Value head) {
        return operators.gemm(hidden, false, head, true, null);
    }

    /** The shape of the head: [vocabularySize, hiddenSize]. */
    default Shape headShape() {
        return Shape.of(config().vocabularySize(), config().hiddenSize());
    }
}
