package dev.holdfast.eval;

/**
 * What a model made of a prompt.
 *
 * @param promptIds the prompt's tokens
 * @param generatedIds the tokens that the model added, with the closing token where it came to one
 * @param text the generated tokens as text, without special tokens
 * @param tokensPerSecond generated tokens per second; the reading of the prompt up to its last token is not counted
 */
public record Generation(int[] promptIds, int[] generatedIds, String text, double tokensPerSecond) {}
