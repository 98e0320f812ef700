package dev.holdfast.chart;

import java.util.List;
import java.util.Locale;

/** The frame of a chart with two axes: title, legend, axes with ticks, and the place of a point inside of it. */
final class Plot {
    static final int WIDTH = 560;
    private static final int HEIGHT = 300;
    private static final int LEFT = 66;
    private static final int RIGHT = WIDTH - 16;
    private static final int BOTTOM = HEIGHT - 44;
    private static final int LEGEND_LINE = 17;
    private static final int TITLE_BASE = 20;
    private static final int SWATCH = 18;

    private final String title;
    private final Scale x;
    private final Scale y;
    private final Svg svg = new Svg();
    private final int top;

    /** What the legend says of one thing: its name, and the classes of the stroke that stands for it. */
    record Key(String name, String classes) {}

    Plot(String title, String xAxis, String yAxis, Scale x, Scale y, List<Key> legend) {
        this.title = title;
        this.x = x;
        this.y = y;
        svg.text(10, TITLE_BASE, "title", title);
        this.top = drawLegend(legend) + 14;
        drawAxes(xAxis, yAxis);
    }

    /** Names in lines below the title; returns where they end. */
    private int drawLegend(List<Key> legend) {
        int base = TITLE_BASE + LEGEND_LINE + 2;
        double left = 10;
        for (Key key : legend) {
            double width = SWATCH + 5 + Svg.width(key.name()) + 12;
            if (left > 10 && left + width > RIGHT) {
                base += LEGEND_LINE;
                left = 10;
            }
            svg.line(left, base - 4, left + SWATCH, base - 4, key.classes());
            svg.text(left + SWATCH + 5, base, "muted", key.name());
            left += width;
        }
        return legend.isEmpty() ? TITLE_BASE : base;
    }

    private void drawAxes(String xAxis, String yAxis) {
        for (double tick : y.ticks()) {
            svg.line(LEFT, yOf(tick), RIGHT, yOf(tick), "rule");
            svg.text(LEFT - 7, yOf(tick) + 4, "end muted", y.label(tick));
        }
        for (double tick : x.ticks()) {
            svg.line(xOf(tick), BOTTOM, xOf(tick), BOTTOM + 4, "axis");
            svg.text(xOf(tick), BOTTOM + 17, "middle muted", x.label(tick));
        }
        svg.line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis");
        svg.text((LEFT + RIGHT) / 2.0, HEIGHT - 9, "middle muted", xAxis);
        svg.upwards(14, (top + BOTTOM) / 2.0, y.isLogarithmic() ? yAxis + " (log scale)" : yAxis);
    }

    double xOf(double number) {
        return LEFT + x.position(number) * (RIGHT - LEFT);
    }

    double yOf(double number) {
        return BOTTOM - y.position(number) * (BOTTOM - top);
    }

    /** An upright rule at a place, with its name on top. */
    void mark(double at, String name) {
        svg.line(xOf(at), top, xOf(at), BOTTOM, "mark");
        svg.text(xOf(at) + 3, top + 9, "muted", name);
    }

    /** Lines between neighbours; a gap where there is no number. */
    void line(List<Point> points, String classes) {
        StringBuilder commands = new StringBuilder();
        boolean joined = false;
        for (Point point : points) {
            if (point.isFinite()) {
                commands.append(joined ? 'L' : 'M').append(place(point));
            }
            joined = point.isFinite();
        }
        svg.path(commands, "line " + classes);
    }

    /** A dot for each number that has a gap on both sides, which no line shows. */
    void loneDots(List<Point> points, String classes) {
        for (int i = 0; i < points.size(); i++) {
            boolean before = i > 0 && points.get(i - 1).isFinite();
            boolean after = i + 1 < points.size() && points.get(i + 1).isFinite();
            if (!before && !after) {
                dot(points.get(i), 3, classes, "");
            }
        }
    }

    /** The area between two lines of the same places. */
    void band(List<Point> lows, List<Point> highs, String classes) {
        int start = 0;
        while (start < lows.size()) {
            int end = start;
            while (end < lows.size() && lows.get(end).isFinite()) {
                end++;
            }
            if (end > start) {
                svg.path(outline(lows.subList(start, end), highs.subList(start, end)), "band " + classes);
            }
            start = end + 1;
        }
    }

    private String outline(List<Point> lows, List<Point> highs) {
        StringBuilder commands = new StringBuilder();
        for (Point high : highs) {
            commands.append(commands.length() == 0 ? 'M' : 'L').append(place(high));
        }
        for (int i = lows.size() - 1; i >= 0; i--) {
            commands.append('L').append(place(lows.get(i)));
        }
        return commands.append('Z').toString();
    }

    private String place(Point point) {
        return String.format(Locale.ROOT, "%.1f %.1f", xOf(point.x()), yOf(point.y()));
    }

    void dot(Point point, double radius, String classes, String tip) {
        if (point.isFinite()) {
            svg.circle(xOf(point.x()), yOf(point.y()), radius, classes, tip);
        }
    }

    /** A line from one point to another. */
    void stroke(Point from, Point to, String classes) {
        svg.line(xOf(from.x()), yOf(from.y()), xOf(to.x()), yOf(to.y()), classes);
    }

    /** The name of a point, to its right or, where there is no room, to its left. */
    void label(Point point, String name) {
        boolean fits = xOf(point.x()) + 8 + Svg.width(name) < RIGHT;
        svg.text(xOf(point.x()) + (fits ? 8 : -8), yOf(point.y()) - 7, fits ? "" : "end", name);
    }

    /** A stretch of the places that tells something when it is pointed at. */
    void hover(double from, double to, String tip) {
        double left = Math.max(LEFT, xOf(from));
        svg.rectangle(left, top, Math.max(1, Math.min(RIGHT, xOf(to)) - left), BOTTOM - top, "hover", tip);
    }

    String svg() {
        return svg.picture(WIDTH, HEIGHT, title);
    }

    /** A number as a reader wants it told. */
    static String number(double number) {
        double size = Math.abs(number);
        String pattern = size != 0 && size < 1e-3 ? "%.2e" : size < 100 ? "%.4g" : "%,.0f";
        return String.format(Locale.ROOT, pattern, number);
    }
}
