package dev.holdfast.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.InvalidInputException;
import java.util.Collections;
import java.util.List;

/** The tokens of a GGUF file with their kinds, in the order of their ids. */
record GgufVocabulary(List<String> tokens, List<Number> kinds) {
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    static GgufVocabulary of(GgufTokenizerMetadata metadata) {
        List<String> tokens = metadata.texts("tokens");
        if (tokens.isEmpty()) {
            throw new InvalidInputException("tokenizer.ggml.tokens: expected at least one token, got none");
        }
        List<Number> kinds = metadata.has("token_type")
                ? metadata.numbers("token_type")
                : Collections.nCopies(tokens.size(), NORMAL);
        if (kinds.size() != tokens.size()) {
            throw new InvalidInputException("tokenizer.ggml.token_type: expected " + tokens.size()
                    + " entries, one for each token, got " + kinds.size());
        }
        return new GgufVocabulary(tokens, kinds);
    }

    int size() {
        return tokens.size();
    }

    boolean isNormal(int id) {
        return kinds.get(id).intValue() == NORMAL;
    }

    /** Token texts with their ids, as {@code model.vocab} has them. */
    ObjectNode toJson() {
        ObjectNode vocabulary = TextFiles.MAPPER.createObjectNode();
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        return vocabulary;
    }

    /** Control tokens, which are special, and tokens that the model's makers defined, which are found in texts as they stand. */
    ArrayNode addedTokens() {
        ArrayNode added = TextFiles.MAPPER.createArrayNode();
        for (int id = 0; id < tokens.size(); id++) {
            int kind = kinds.get(id).intValue();
            if (kind == CONTROL || kind == USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", tokens.get(id))
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", kind == CONTROL);
            }
        }
        return added;
    }
}
