package dev.holdfast.data;

import dev.holdfast.config.TooLongRows;

/**
 * How rows become token ids.
 *
 * @param maxLength the most tokens of a row; at least 2
 * @param onTooLong what becomes of longer rows
 * @param appendEos whether every response is closed by the end-of-sequence token, unless it already ends so
 * @param modelVocabularySize how many tokens the model knows; ids must be below it
 */
public record EncodingOptions(int maxLength, TooLongRows onTooLong, boolean appendEos, int modelVocabularySize) {
    public EncodingOptions {
        if (maxLength < 2) {
            throw new IllegalArgumentException("maxLength: expected at least 2, got " + maxLength);
        }
        if (modelVocabularySize < 1) {
            throw new IllegalArgumentException("modelVocabularySize: expected at least 1, got " + modelVocabularySize);
        }
    }
}
