package dev.holdfast.artifact;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * What onnxruntime-genai needs to know of a decoder: {@code genai_config.json}.
 *
 * @param model sizes, special tokens, and the names of inputs and outputs
 * @param search how tokens are chosen unless the caller says otherwise
 */
public record GenaiConfig(Model model, Search search) {
    /**
     * A model.
     *
     * @param type what onnxruntime-genai calls the family, mostly its Hugging Face model type
     * @param bosTokenId the beginning of sequence
     * @param eosTokenId the ids that end a generation; a single one is written as a number
     * @param padTokenId padding
     * @param contextLength longest sequence, prompt included, in tokens
     * @param vocabSize V
     * @param decoder the graph
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Model(
            String type,
            int bosTokenId,
            @JsonFormat(
                            with = {
                                JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY,
                                JsonFormat.Feature.WRITE_SINGLE_ELEM_ARRAYS_UNWRAPPED
                            })
                    List<Integer> eosTokenId,
            int padTokenId,
            int contextLength,
            int vocabSize,
            Decoder decoder) {}

    /**
     * The graph of a decoder.
     *
     * @param filename the model file, relative to the folder
     * @param headSize width of one head
     * @param hiddenSize H
     * @param numAttentionHeads query heads
     * @param numHiddenLayers blocks
     * @param numKeyValueHeads key and value heads
     * @param sessionOptions how ONNX Runtime runs it
     * @param inputs names of its inputs
     * @param outputs names of its outputs
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Decoder(
            String filename,
            int headSize,
            int hiddenSize,
            int numAttentionHeads,
            int numHiddenLayers,
            int numKeyValueHeads,
            SessionOptions sessionOptions,
            Inputs inputs,
            Outputs outputs) {}

    /**
     * How ONNX Runtime runs a graph.
     *
     * @param logId the name in its log
     * @param providerOptions execution providers besides the CPU
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record SessionOptions(String logId, List<Object> providerOptions) {}

    /**
     * Names of inputs.
     *
     * @param inputIds the new tokens, INT64[B, T]
     * @param attentionMask 1 for a token and 0 for padding, those of the cache included, INT64[B, P + T]
     * @param positionIds the places of the new tokens, INT64[B, T]
     * @param pastKeyNames the keys of the tokens before, with %d for the layer, FLOAT[B, heads, P, head size]
     * @param pastValueNames the values likewise
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Inputs(
            String inputIds, String attentionMask, String positionIds, String pastKeyNames, String pastValueNames) {}

    /**
     * Names of outputs.
     *
     * @param logits FLOAT[B, T, V]
     * @param presentKeyNames the keys of all tokens so far, with %d for the layer, FLOAT[B, heads, P + T, head size]
     * @param presentValueNames the values likewise
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Outputs(String logits, String presentKeyNames, String presentValueNames) {}

    /**
     * How tokens are chosen.
     *
     * @param doSample whether by chance; otherwise the likeliest
     * @param earlyStopping whether a beam search ends with its first complete beams
     * @param lengthPenalty of a beam search
     * @param maxLength longest sequence, prompt included, in tokens
     * @param minLength shortest sequence
     * @param noRepeatNgramSize length of the sequences that may not recur; 0 for none
     * @param numBeams 1 for no beam search
     * @param numReturnSequences sequences per prompt
     * @param pastPresentShareBuffer whether the cache is one buffer that the graph writes into
     * @param repetitionPenalty 1 for none
     * @param temperature divides the logits
     * @param topK how many of the likeliest tokens are drawn from
     * @param topP the share of the probability that is drawn from
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Search(
            boolean doSample,
            boolean earlyStopping,
            double lengthPenalty,
            int maxLength,
            int minLength,
            int noRepeatNgramSize,
            int numBeams,
            int numReturnSequences,
            boolean pastPresentShareBuffer,
            double repetitionPenalty,
            double temperature,
            int topK,
            double topP) {
        /** The likeliest token each time, up to a length. */
        public static Search greedy(int maxLength) {
            return new Search(false, true, 1.0, maxLength, 0, 0, 1, 1, false, 1.0, 1.0, 50, 1.0);
        }
    }
}
