package dev.holdfast.eval;

import dev.holdfast.error.RuntimeFailureException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Chooses tokens by their logits. The choices depend on the options, their seed and the logits alone. */
final class TokenSampler {
    private final GenerationOptions options;
    private final SplittableRandom random;

    TokenSampler(GenerationOptions options) {
        this.options = options;
        this.random = new SplittableRandom(options.seed());
    }

    /**
     * The next token.
     *
     * @param logits FLOAT[V]
     * @throws RuntimeFailureException if a logit is not a number
     */
    int choose(FloatBuffer logits) {
        float[] values = new float[logits.remaining()];
        logits.duplicate().get(values);
        requireNumbers(values);
        return options.temperature() == 0 ? likeliest(values) : draw(values);
    }

    private static void requireNumbers(float[] logits) {
        for (int id = 0; id < logits.length; id++) {
            if (Float.isNaN(logits[id]) || logits[id] == Float.POSITIVE_INFINITY) {
                throw new RuntimeFailureException("logits: token " + id + ": expected a finite number, got "
                        + logits[id] + "; the model's weights are damaged");
            }
        }
    }

    /** The first of the likeliest tokens. */
    static int likeliest(float[] logits) {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            if (logits[id] > logits[best]) {
                best = id;
            }
        }
        return best;
    }

    private int draw(float[] logits) {
        int[] ids = byLikelihood(logits);
        double[] shares = new double[ids.length];
        double total = 0;
        for (int i = 0; i < shares.length; i++) {
            shares[i] = Math.exp(((double) logits[ids[i]] - logits[ids[0]]) / options.temperature());
            total += shares[i];
        }
        int kept = kept(shares, options.topP() * total);
        double keptTotal = Arrays.stream(shares, 0, kept).sum();
        return ids[drawn(shares, kept, random.nextDouble() * keptTotal)];
    }

    /** The ids to draw from, the likeliest first and equally likely ones by their number. */
    private int[] byLikelihood(float[] logits) {
        long[] keys = new long[logits.length];
        for (int id = 0; id < keys.length; id++) {
            keys[id] = (long) ~ordered(logits[id]) << Integer.SIZE | id;
        }
        Arrays.sort(keys);
        int count = options.topK() == 0 ? keys.length : Math.min(options.topK(), keys.length);
        return Arrays.stream(keys, 0, count).mapToInt(key -> (int) key).toArray();
    }

    /** An integer that compares as the float does. */
    private static int ordered(float value) {
        int bits = Float.floatToIntBits(value + 0f);
        return bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
    }

    /** How many shares are needed to reach a sum. */
    private static int kept(double[] shares, double sum) {
        double reached = 0;
        for (int i = 0; i < shares.length; i++) {
            reached += shares[i];
            if (reached >= sum) {
                return i + 1;
            }
        }
        return shares.length;
    }

    private static int drawn(double[] shares, int count, double point) {
        double reached = 0;
        for (int i = 0; i < count; i++) {
            reached += shares[i];
            if (point < reached) {
                return i;
            }
        }
        return count - 1;
    }
}
