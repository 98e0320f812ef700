package dev.holdfast.cli;

import dev.holdfast.bench.KernelResult;
import dev.holdfast.chart.BarChart;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** Measurements of the loss as a reader sees them: a table for each case, and one picture of all. */
final class KernelTable {
    private static final double MEBIBYTE = 1 << 20;

    private KernelTable() {}

    /** The results of one case, of which the first that was measured is what the others are compared with. */
    static String of(List<KernelResult> results) {
        StringBuilder table = new StringBuilder(String.format(
                "%n%s%n%-22s %-12s %10s %8s %7s %7s %6s %8s %11s%n",
                results.get(0).caseName(),
                "implementation",
                "backend",
                "median ms",
                "spread",
                "ratio",
                "GB/s",
                "copy",
                "GFLOP/s",
                "memory MiB"));
        OptionalDouble first = results.stream()
                .filter(KernelResult::isMeasured)
                .mapToDouble(KernelResult::medianMillis)
                .findFirst();
        results.forEach(
                result -> table.append(result.isMeasured() ? line(result, first.orElseThrow()) : absent(result)));
        return table.toString();
    }

    private static String absent(KernelResult result) {
        return String.format("%-22s %-12s absent: %s%n", result.implementation(), result.backend(), result.absent());
    }

    private static String line(KernelResult result, double firstMillis) {
        return String.format(
                Locale.ROOT,
                "%-22s %-12s %10.2f %8.2f %7.2f %7.1f %6.2f %8.1f %11s%n",
                result.implementation(),
                result.isa() == null || result.isa().isEmpty()
                        ? result.backend()
                        : result.backend() + "/" + result.isa(),
                result.medianMillis(),
                result.spreadMillis(),
                result.medianMillis() / firstMillis,
                result.bytes() / result.medianMillis() / 1e6,
                result.copyFraction(),
                result.flop() / result.medianMillis() / 1e6,
                result.peakBytes() == null
                        ? "unknown"
                        : String.format(Locale.ROOT, "%.1f", result.peakBytes() / MEBIBYTE));
    }

    /** A group of bars for every case; what was not measured is left out. */
    static BarChart chart(List<KernelResult> results) {
        BarChart chart = new BarChart("The anchor loss, gradient included", "milliseconds, median");
        Map<String, List<BarChart.Bar>> groups = new LinkedHashMap<>();
        results.stream().filter(KernelResult::isMeasured).forEach(result -> groups.computeIfAbsent(
                        result.caseName(), name -> new ArrayList<>())
                .add(bar(result)));
        groups.forEach(chart::add);
        return chart;
    }

    private static BarChart.Bar bar(KernelResult result) {
        return new BarChart.Bar(
                result.implementation() + " " + result.backend(),
                result.medianMillis(),
                String.format(
                        Locale.ROOT, "%.2f ms, %.0f %% of copy", result.medianMillis(), 100 * result.copyFraction()),
                result.implementation().startsWith("holdfast"));
    }
}
