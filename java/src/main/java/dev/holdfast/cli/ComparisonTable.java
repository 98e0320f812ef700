package dev.holdfast.cli;

import dev.holdfast.train.Comparison;
import dev.holdfast.train.RowScores;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Models side by side, a line each: what was gained on the task and what was kept. */
final class ComparisonTable {
    private static final String ROW = "%-10s %10s %12s %12s %14s%n";

    private ComparisonTable() {}

    static String of(Comparison comparison) {
        StringBuilder table = new StringBuilder();
        table.append(String.format(Locale.ROOT, ROW, "", "task loss", "task exact", "kept exact", "KL from base"));
        for (Map.Entry<String, Comparison.Scores> entry : comparison.models().entrySet()) {
            Optional<RowScores> task = Optional.ofNullable(entry.getValue().task());
            Optional<RowScores> retention = Optional.ofNullable(entry.getValue().retention());
            table.append(String.format(
                    Locale.ROOT,
                    ROW,
                    entry.getKey(),
                    task.map(scores -> number("%.3f", scores.loss())).orElse("-"),
                    task.map(scores -> percent(scores.exactRows())).orElse("-"),
                    retention.map(scores -> percent(scores.exactRows())).orElse("-"),
                    retention
                            .or(() -> task)
                            .map(scores -> number("%.4f", scores.klFromBase()))
                            .orElse("-")));
        }
        return table.toString();
    }

    private static String percent(double share) {
        return number("%.1f %%", 100 * share);
    }

    private static String number(String pattern, double value) {
        return String.format(Locale.ROOT, pattern, value);
    }
}
