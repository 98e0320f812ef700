package dev.holdfast.eval;

/**
 * What a model answered.
 *
 * @param text the answer, without special tokens and without the text that ended it
 * @param tokens tokens generated, the closing one included
 * @param isCut whether the model had not come to an end
 */
public record Response(String text, int tokens, boolean isCut) {}
