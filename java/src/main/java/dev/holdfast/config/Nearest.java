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

    /** The fewest insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
    static int distance(String from, String to) {
        int[][] distances = new int[from.length() + 1][to.length() + 1];
        for (int row = 0; row <= from.length(); row++) {
            for (int column = 0; column <= to.length(); column++) {
                distances[row][column] =
                        row == 0 || column == 0 ? row + column : cheapest(distances, from, to, row, column);
            }
        }
        return distances[from.length()][to.length()];
    }

    private static int cheapest(int[][] distances, String from, String to, int row, int column) {
        boolean same = from.charAt(row - 1) == to.charAt(column - 1);
        int oneLonger = 1 + Math.min(distances[row - 1][column], distances[row][column - 1]);
        int least = Math.min(oneLonger, distances[row - 1][column - 1] + (same ? 0 : 1));
        boolean swapped = row > 1
                && column > 1
                && from.charAt(row - 1) == to.charAt(column - 2)
                && from.charAt(row - 2) == to.charAt(column - 1);
        return swapped ? Math.min(least, 1 + distances[row - 2][column - 2]) : least;
    }
}
