package dev.holdfast.eval;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;

/**
 * How likely a model finds the response tokens of a row.
 *
 * @param index the number of the row in its data, from 0
 * @param tokens response tokens
 * @param logprobSum sum of their log-probabilities, in nats
 * @param tokenLogprobs log p of each response token given all tokens before it, in order
 */
public record RowScore(
        long index,
        int tokens,
        @JsonProperty("logprob_sum") double logprobSum,
        @JsonProperty("token_logprobs") double[] tokenLogprobs) {
    static RowScore of(long index, double[] tokenLogprobs) {
        return new RowScore(
                index, tokenLogprobs.length, Arrays.stream(tokenLogprobs).sum(), tokenLogprobs);
    }
}
