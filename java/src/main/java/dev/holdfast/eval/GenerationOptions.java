package dev.holdfast.eval;

import java.util.ArrayList;
import java.util.List;

/**
 * How tokens are chosen and when to stop.
 *
 * @param maxNewTokens the most tokens to generate, the closing token included
 * @param temperature divides the logits; 0 takes the likeliest token each time, and the other settings then do nothing
 * @param topK draw from so many of the likeliest tokens; 0 for all
 * @param topP draw from the fewest likeliest tokens that hold this share of the probability; in (0, 1], 1 for all
 * @param seed of the drawing: the same seed, prompt and model give the same tokens
 */
public record GenerationOptions(int maxNewTokens, double temperature, int topK, double topP, long seed) {
    public GenerationOptions {
        List<String> problems = problems(maxNewTokens, temperature, topK, topP);
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(problems.get(0));
        }
    }

    /** What is out of its range, one line each; empty where all is well. */
    public static List<String> problems(int maxNewTokens, double temperature, int topK, double topP) {
        List<String> found = new ArrayList<>();
        require(maxNewTokens >= 1, "max_new_tokens", "1 or more", maxNewTokens, found);
        boolean finite = temperature >= 0 && temperature < Double.POSITIVE_INFINITY;
        require(finite, "temperature", "0 or more", temperature, found);
        require(topK >= 0, "top_k", "0 or more", topK, found);
        require(topP > 0 && topP <= 1, "top_p", "more than 0 and at most 1", topP, found);
        return found;
    }

    private static void require(boolean holds, String name, String expected, Object got, List<String> found) {
        if (!holds) {
            found.add(name + ": expected " + expected + ", got " + got);
        }
    }

    /** The likeliest token each time. */
    public static GenerationOptions greedy(int maxNewTokens) {
        return new GenerationOptions(maxNewTokens, 0, 0, 1, 0);
    }

    /** Draws from the whole distribution. */
    public static GenerationOptions sampling(int maxNewTokens, double temperature, long seed) {
        return new GenerationOptions(maxNewTokens, temperature, 0, 1, seed);
    }

    /** These options, drawing from so many of the likeliest tokens. */
    public GenerationOptions withTopK(int count) {
        return new GenerationOptions(maxNewTokens, temperature, count, topP, seed);
    }

    /** These options, drawing from this share of the probability. */
    public GenerationOptions withTopP(double share) {
        return new GenerationOptions(maxNewTokens, temperature, topK, share, seed);
    }
}
