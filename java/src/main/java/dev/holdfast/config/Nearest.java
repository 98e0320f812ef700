package dev.holdfast.config;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Finds what a misspelt word was probably meant to be. */
public final class Nearest {
    private static final int LEAST_PART = 4;

    private Nearest() {}

    /** The word with the least edit distance, or the shortest that contains the misspelt one; empty where none is near. */
    public static Optional<String> to(String misspelt, List<String> words) {
        int limit = Math.max(1, misspelt.length() / 3);
        Optional<String> close = words.stream()
                .filter(word -> distance(misspelt, word) <= limit)
                .min(Comparator.comparingInt(word -> distance(misspelt, word)));
        return close.or(() -> containing(misspelt, words));
    }

    private static Optional<String> containing(String part, List<String> words) {
        return words.stream()
                .filter(word -> part.length() >= LEAST_PART && word.contains(part))
                .min(Comparator.comparingInt(String::length));
    }

    /** Levenshtein's distance: the fewest insertions, deletions and replacements of a character. */
    static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int column = 0; column <= to.length(); column++) {
            row[column] = column;
        }
        for (int line = 1; line <= from.length(); line++) {
            advance(row, line, from.charAt(line - 1), to);
        }
        return row[to.length()];
    }

    private static void advance(int[] row, int line, char character, String to) {
        int diagonal = row[0];
        row[0] = line;
        for (int column = 1; column < row.length; column++) {
            int replaced = diagonal + (character == to.charAt(column - 1) ? 0 : 1);
            diagonal = row[column];
            row[column] = Math.min(replaced, 1 + Math.min(row[column], row[column - 1]));
        }
    }
}
