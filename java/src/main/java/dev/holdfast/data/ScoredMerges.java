package dev.holdfast.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.holdfast.error.InvalidInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The merges that reproduce a SentencePiece vocabulary with scores as byte-pair encoding.
 *
 * <p>Every way to put a token together from two others is a merge; merges that yield tokens of higher score come first, among equals
 * those with longer parts. Source: {@code generate_merges} in Hugging Face transformers, {@code convert_slow_tokenizer.py}.
 */
final class ScoredMerges {
    private record Merge(String left, String right, double score) {}

    private static final Comparator<Merge> HIGHEST_FIRST = Comparator.comparingDouble(Merge::score)
            .thenComparingInt(
                    merge -> merge.left().codePointCount(0, merge.left().length()))
            .thenComparingInt(
                    merge -> merge.right().codePointCount(0, merge.right().length()))
            .reversed();

    private final GgufVocabulary vocabulary;
    private final Map<String, Integer> ids = new HashMap<>();

    ScoredMerges(GgufVocabulary vocabulary) {
        this.vocabulary = vocabulary;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.isNormal(id)) {
                ids.put(vocabulary.tokens().get(id), id);
            }
        }
    }

    ArrayNode toJson(List<Number> scores) {
        if (scores.size() != vocabulary.size()) {
            throw new InvalidInputException("tokenizer.ggml.scores: expected " + vocabulary.size()
                    + " entries, one for each token, got " + scores.size());
        }
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.isNormal(id)) {
                merges.addAll(merges(vocabulary.tokens().get(id), scores.get(id).doubleValue()));
            }
        }
        merges.sort(HIGHEST_FIRST);
        ArrayNode json = TextFiles.MAPPER.createArrayNode();
        merges.forEach(merge -> json.addArray().add(merge.left()).add(merge.right()));
        return json;
    }

    private List<Merge> merges(String token, double score) {
        List<Merge> merges = new ArrayList<>();
        for (int at = token.offsetByCodePoints(0, Math.min(1, token.length()));
                at < token.length();
                at = token.offsetByCodePoints(at, 1)) {
            String left = token.substring(0, at);
            String right = token.substring(at);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                merges.add(new Merge(left, right, score));
            }
        }
        merges.sort(Comparator.<Merge>comparingInt(merge -> ids.get(merge.left()))
                .thenComparingInt(merge -> ids.get(merge.right())));
        return merges;
    }
}
