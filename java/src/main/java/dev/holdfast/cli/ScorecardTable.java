package dev.holdfast.cli;

import dev.holdfast.eval.suite.Metric;
import dev.holdfast.eval.suite.Scorecard;
import dev.holdfast.eval.suite.SuiteScore;
import java.util.Locale;
import java.util.Map;

/** Scores as a reader sees them: a line for each metric, and for each group of a suite. */
final class ScorecardTable {
    private static final String ROW = "%-20s %-28s %10s %17s %9s%n";

    private ScorecardTable() {}

    static String of(Scorecard scorecard) {
        StringBuilder table = new StringBuilder(row("suite", "metric", "value", "95 % interval", "of"));
        scorecard.suites().forEach((suite, score) -> table.append(lines(suite, score)));
        return table.toString();
    }

    private static String lines(String suite, SuiteScore score) {
        StringBuilder lines = new StringBuilder();
        String name = suite;
        for (Map.Entry<String, Metric> metric : score.metrics().entrySet()) {
            lines.append(line(name, metric.getKey(), metric.getValue()));
            name = "";
        }
        for (Map.Entry<String, Metric> group : score.groups().entrySet()) {
            lines.append(line("", "  " + group.getKey(), group.getValue()));
        }
        return lines.toString();
    }

    private static String line(String suite, String name, Metric metric) {
        String interval =
                metric.low() == null ? "-" : number(metric.low(), metric) + " - " + number(metric.high(), metric);
        String value = number(metric.value(), metric) + (metric.isShare() ? " %" : "");
        return row(suite, name, value, interval, Long.toString(metric.total()));
    }

    private static String number(double value, Metric metric) {
        return metric.isShare()
                ? String.format(Locale.ROOT, "%.1f", 100 * value)
                : String.format(Locale.ROOT, "%.4f", value);
    }

    private static String row(Object... cells) {
        return String.format(Locale.ROOT, ROW, cells);
    }
}
