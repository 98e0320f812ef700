package dev.holdfast.data;

import dev.holdfast.error.InvalidInputException;
import dev.holdfast.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;

/**
 * A micro-batch: B rows padded on the right to T tokens, with N response tokens.
 *
 * @param inputIds INT64[B, T], the token ids; padding behind each row
 * @param responsePositions INT64[N], ascending: the flat index b·T + t of each position whose output predicts a response token, which is
 *     the position before that token
 * @param labels INT64[N], the response tokens, in the same order
 * @param weights FLOAT[N], each 1 / {@code globalResponseTokens}
 * @param rows the numbers of the rows in the data, in the batch's order
 * @param tokens tokens without padding
 * @param globalResponseTokens the response tokens of the whole global batch that this one is a part of
 */
public record Batch(
        HostTensor inputIds,
        HostTensor responsePositions,
        HostTensor labels,
        HostTensor weights,
        List<Long> rows,
        long tokens,
        long globalResponseTokens) {
    public Batch {
        rows = List.copyOf(rows);
    }

    /** N: how many tokens of this micro-batch are learnt. */
    public int responseTokens() {
        return labels.elementCount();
    }

    /** The row of this micro-batch, from 0, that a response token belongs to. */
    public int rowOf(int responseToken) {
        return (int)
                (responsePositions.longs().get(responseToken) / inputIds.shape().dimension(1));
    }

    /**
     * Pads rows into a micro-batch.
     *
     * @param examples at least one
     * @param length T; at least the longest row
     */
    static Batch of(List<EncodedExample> examples, int length, int padId, long globalResponseTokens) {
        if (globalResponseTokens < 1) {
            throw new InvalidInputException(
                    "batch with row " + examples.get(0).row() + ": no response token: expected at least one");
        }
        int count = examples.stream().mapToInt(EncodedExample::responseTokens).sum();
        long[] ids = new long[Math.multiplyExact(examples.size(), length)];
        long[] positions = new long[count];
        long[] labels = new long[count];
        float[] weights = new float[count];
        Arrays.fill(ids, padId);
        Arrays.fill(weights, 1f / globalResponseTokens);
        for (int b = 0, n = 0; b < examples.size(); b++) {
            EncodedExample example = examples.get(b);
            for (int t = 0; t < example.length(); t++) {
                ids[b * length + t] = example.ids()[t];
                if (example.response()[t]) {
                    positions[n] = (long) b * length + t - 1;
                    labels[n++] = example.ids()[t];
                }
            }
        }
        return new Batch(
                HostTensor.ofLongs(ids, examples.size(), length),
                HostTensor.ofLongs(positions, count),
                HostTensor.ofLongs(labels, count),
                HostTensor.ofFloats(weights, count),
                examples.stream().map(EncodedExample::row).toList(),
                examples.stream().mapToLong(EncodedExample::length).sum(),
                globalResponseTokens);
    }
}
