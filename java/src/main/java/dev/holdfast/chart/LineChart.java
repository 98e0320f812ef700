package dev.holdfast.chart;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * Numbers along an axis as lines, such as a loss by steps.
 *
 * <p>Of a line with very many points the mean of each stretch is drawn, and as a band behind it from its least to its greatest number.
 */
public final class LineChart {
    /** More points than pixels show nothing more. */
    private static final int MOST_POINTS = 300;

    private static final int MOST_HOVERS = 100;

    private final String title;
    private final String xAxis;
    private final String yAxis;
    private final List<Line> lines = new ArrayList<>();
    private final List<Mark> marks = new ArrayList<>();
    private double[] span = {};
    private boolean magnitudes;

    /** How a line is drawn. */
    public enum Style {
        /** A line alone, for what is measured everywhere. */
        PLAIN,
        /** A line with a dot at each point, for what is measured now and then. */
        DOTTED,
        /** A broken line, for what others are compared with. */
        DASHED
    }

    private record Line(String name, Style style, ThinnedLine points, int colour) {
        String classes() {
            return Svg.stroke(colour) + (style == Style.DASHED ? " dashed" : "");
        }
    }

    private record Mark(double at, String name) {}

    /**
     * A chart without lines.
     *
     * @param xAxis what stands along the first axis, with its unit
     * @param yAxis what the numbers are, with their unit
     */
    public LineChart(String title, String xAxis, String yAxis) {
        this.title = title;
        this.xAxis = xAxis;
        this.yAxis = yAxis;
    }

    /** Adds a line of points in ascending order; one without any number is left out. */
    public LineChart add(String name, Style style, List<Point> points) {
        if (points.stream().anyMatch(Point::isFinite)) {
            lines.add(new Line(name, style, ThinnedLine.of(points, MOST_POINTS), lines.size()));
        }
        return this;
    }

    /** Adds an upright rule, such as where an iteration begins. */
    public LineChart mark(double at, String name) {
        marks.add(new Mark(at, name));
        return this;
    }

    /** Has the first axis reach at least from one place to another, so that charts of one run stand above each other. */
    public LineChart span(double from, double to) {
        span = new double[] {from, to};
        return this;
    }

    /** Has the second axis go by orders of magnitude where the numbers span some, such as those of a loss. */
    public LineChart byMagnitude() {
        magnitudes = true;
        return this;
    }

    /** Whether there is nothing to show. */
    public boolean isEmpty() {
        return lines.isEmpty();
    }

    /** The picture. */
    public String svg() {
        Plot plot = new Plot(
                title,
                xAxis,
                yAxis,
                Scale.exact(places()),
                magnitudes ? Scale.ofMagnitudes(numbers()) : Scale.rounded(numbers()),
                legend());
        marks.forEach(mark -> plot.mark(mark.at, mark.name));
        lines.stream()
                .filter(line -> line.points.isThinned())
                .forEach(line -> plot.band(line.points.lows(), line.points.highs(), Svg.fill(line.colour)));
        lines.forEach(line -> draw(line, plot));
        drawHovers(plot);
        return plot.svg();
    }

    /** One line is what the title says. */
    private List<Plot.Key> legend() {
        return lines.size() == 1
                ? List.of()
                : lines.stream()
                        .map(line -> new Plot.Key(line.name, "line " + line.classes()))
                        .toList();
    }

    private double[] places() {
        return DoubleStream.concat(
                        DoubleStream.of(span), all(line -> line.points.means()).mapToDouble(Point::x))
                .toArray();
    }

    private double[] numbers() {
        return DoubleStream.concat(
                        all(line -> line.points.lows()).mapToDouble(Point::y),
                        all(line -> line.points.highs()).mapToDouble(Point::y))
                .toArray();
    }

    private Stream<Point> all(Function<Line, List<Point>> which) {
        return lines.stream().map(which).flatMap(List::stream);
    }

    private static void draw(Line line, Plot plot) {
        List<Point> points = line.points.means();
        plot.line(points, line.classes());
        if (line.style == Style.DOTTED) {
            points.forEach(point -> plot.dot(point, 3, Svg.fill(line.colour), ""));
        } else {
            plot.loneDots(points, Svg.fill(line.colour));
        }
    }

    /** Each stretch of the axis tells the last number of each line in it. */
    private void drawHovers(Plot plot) {
        double[] places = all(line -> line.points.means())
                .mapToDouble(Point::x)
                .sorted()
                .distinct()
                .toArray();
        int each = (places.length - 1) / MOST_HOVERS + 1;
        for (int start = 0; start < places.length; start += each) {
            int last = Math.min(start + each, places.length) - 1;
            double from = start == 0 ? places[0] : (places[start - 1] + places[start]) / 2;
            double to = last + 1 == places.length ? places[last] : (places[last] + places[last + 1]) / 2;
            plot.hover(from, to, tip(places[start], places[last]));
        }
    }

    private String tip(double from, double to) {
        StringBuilder tip = new StringBuilder(xAxis + " " + Plot.number(to));
        for (Line line : lines) {
            line.points.means().stream()
                    .filter(point -> point.isFinite() && point.x() >= from && point.x() <= to)
                    .max(Comparator.comparingDouble(Point::x))
                    .ifPresent(point ->
                            tip.append('\n').append(line.name).append(": ").append(Plot.number(point.y())));
        }
        int thinned =
                lines.stream().mapToInt(line -> line.points.perPoint()).max().orElse(1);
        return thinned == 1 ? tip.toString() : tip + "\n(means of up to " + thinned + ")";
    }
}
