package dev.holdfast.cache;

import dev.holdfast.tensor.ElementType;
import java.util.List;
import java.util.Locale;

/**
 * What hidden states were made of; a cache with an equal key and the same rows holds the same numbers.
 *
 * @param model SHA-256 of the model that gives them, in 64 hexadecimal digits: of its weights and of how it computes
 * @param rows SHA-256 of the rows as token ids, in 64 hexadecimal digits: other data, another tokenizer and another chat template change it
 * @param elementType FLOAT, FLOAT16 or BFLOAT16: how they are stored
 * @param hiddenSize H, at least 1
 */
public record CacheKey(String model, String rows, ElementType elementType, int hiddenSize) {
    /** How much of a digest stands in a file's name; the header has the rest. */
    private static final int DIGITS_IN_NAME = 16;

    private static final List<ElementType> TYPES =
            List.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16);

    public CacheKey {
        if (!TYPES.contains(elementType) || hiddenSize < 1) {
            throw new IllegalArgumentException("cache: expected elements of one of " + TYPES
                    + " and a hidden size of at least 1, got " + elementType + " and " + hiddenSize);
        }
    }

    /** The name of the file. */
    public String fileName() {
        return "hidden-" + model.substring(0, DIGITS_IN_NAME) + fileNameEnd();
    }

    /** What the names of all caches of the rows end in, whichever model they are of. */
    public String fileNameEnd() {
        return "-" + rows.substring(0, DIGITS_IN_NAME) + "-"
                + elementType.name().toLowerCase(Locale.ROOT) + ".cache";
    }

    /** Bytes of the hidden states of so many response tokens. */
    public long sizeBytes(long tokens) {
        return tokens * hiddenSize * elementType.sizeBytes();
    }
}
