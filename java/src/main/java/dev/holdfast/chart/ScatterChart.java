package dev.holdfast.chart;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Points with errors, of which less along the first axis and more along the second is better, such as gain against forgetting. Those that no
 * other beats in both make the Pareto front, which is drawn.
 */
public final class ScatterChart {
    private final String title;
    private final String xAxis;
    private final String yAxis;
    private final List<Entry> entries = new ArrayList<>();

    /**
     * One point.
     *
     * @param group what shares a colour and a line of the legend, such as a method
     * @param name what stands beside the point; may be empty
     * @param xError half the length of the error's bar along the first axis, at least 0
     * @param yError half its length along the second axis, at least 0
     */
    public record Entry(String group, String name, double x, double y, double xError, double yError) {
        Point point() {
            return new Point(x, y);
        }

        /** Whether another point is at least as good in both and better in one. */
        private boolean isBeatenBy(Entry other) {
            return other.x <= x && other.y >= y && (other.x < x || other.y > y);
        }
    }

    /**
     * A chart without points.
     *
     * @param xAxis what less of is better
     * @param yAxis what more of is better
     */
    public ScatterChart(String title, String xAxis, String yAxis) {
        this.title = title;
        this.xAxis = xAxis;
        this.yAxis = yAxis;
    }

    /** Adds a point; one that is not finite is left out. */
    public ScatterChart add(Entry entry) {
        if (Double.isFinite(entry.x) && Double.isFinite(entry.y)) {
            entries.add(entry);
        }
        return this;
    }

    /** Whether there is nothing to show. */
    public boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The points that no other beats, by the first axis. */
    public List<Entry> front() {
        return entries.stream()
                .filter(entry -> entries.stream().noneMatch(entry::isBeatenBy))
                .sorted(Comparator.comparingDouble(Entry::x).thenComparingDouble(Entry::y))
                .toList();
    }

    /** The picture. */
    public String svg() {
        List<String> groups = entries.stream().map(Entry::group).distinct().toList();
        Plot plot = new Plot(
                title,
                xAxis,
                yAxis,
                Scale.rounded(numbers(entry -> Stream.of(entry.x - entry.xError, entry.x + entry.xError))),
                Scale.rounded(numbers(entry -> Stream.of(entry.y - entry.yError, entry.y + entry.yError))),
                legend(groups));
        List<Entry> front = front();
        for (int i = 1; i < front.size(); i++) {
            plot.stroke(front.get(i - 1).point(), front.get(i).point(), "line axis dashed");
        }
        entries.forEach(entry -> draw(entry, groups.indexOf(entry.group), plot));
        return plot.svg();
    }

    private double[] numbers(Function<Entry, Stream<Double>> ends) {
        return entries.stream().flatMap(ends).mapToDouble(Double::doubleValue).toArray();
    }

    private static List<Plot.Key> legend(List<String> groups) {
        List<Plot.Key> keys = new ArrayList<>();
        for (String group : groups) {
            keys.add(new Plot.Key(group, "line " + Svg.stroke(keys.size())));
        }
        keys.add(new Plot.Key("Pareto front", "line axis dashed"));
        return keys;
    }

    private static void draw(Entry entry, int colour, Plot plot) {
        String stroke = "line " + Svg.stroke(colour);
        plot.stroke(new Point(entry.x - entry.xError, entry.y), new Point(entry.x + entry.xError, entry.y), stroke);
        plot.stroke(new Point(entry.x, entry.y - entry.yError), new Point(entry.x, entry.y + entry.yError), stroke);
        plot.dot(entry.point(), 4.5, Svg.fill(colour), tip(entry));
        plot.label(entry.point(), entry.name);
    }

    private static String tip(Entry entry) {
        return entry.group + " " + entry.name + ": " + Plot.number(entry.x) + " ± " + Plot.number(entry.xError) + ", "
                + Plot.number(entry.y) + " ± " + Plot.number(entry.yError);
    }
}
