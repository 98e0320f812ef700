package dev.holdfast.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Horizontal bars in groups, as a picture in SVG that needs nothing else. */
public final class BarChart {
    private static final int WIDTH = Plot.WIDTH;
    private static final int GAP = 8;
    private static final int BAR_HEIGHT = 18;
    private static final int GROUP_GAP = 20;
    private static final int TOP = 46;

    private final String title;
    private final String axis;
    private final List<Group> groups = new ArrayList<>();

    /** Bars that are compared with one another. */
    private record Group(String name, List<Bar> bars) {}

    /**
     * One bar.
     *
     * @param length at least 0
     * @param ours whether it is drawn in the colour that stands out
     */
    public record Bar(String label, double length, String text, boolean ours) {}

    /**
     * A chart without bars.
     *
     * @param axis what the lengths are
     */
    public BarChart(String title, String axis) {
        this.title = title;
        this.axis = axis;
    }

    /** Adds a group, under its name if it has one; its longest bar takes the whole width. */
    public void add(String name, List<Bar> bars) {
        groups.add(new Group(name, List.copyOf(bars)));
    }

    /** The picture. */
    public String svg() {
        Svg svg = new Svg();
        svg.text(10, 20, "title", title);
        svg.text(10, 40, "muted", axis);
        int y = TOP;
        for (Group group : groups) {
            y = draw(group, y, svg) + GROUP_GAP;
        }
        return svg.picture(WIDTH, y, title);
    }

    /** The most room that a text of any bar takes. */
    private double widest(Function<Bar, String> text) {
        return groups.stream()
                .flatMap(group -> group.bars().stream())
                .map(text)
                .mapToDouble(Svg::width)
                .max()
                .orElse(0);
    }

    private int draw(Group group, int top, Svg svg) {
        int y = top;
        if (!group.name().isEmpty()) {
            y += 14;
            svg.text(10, y, "title", group.name());
        }
        double longest = Math.max(
                Double.MIN_NORMAL,
                group.bars().stream().mapToDouble(Bar::length).max().orElse(1));
        double left = GAP + widest(Bar::label) + GAP;
        double room = WIDTH - left - GAP - widest(Bar::text);
        for (Bar bar : group.bars()) {
            y += BAR_HEIGHT + 4;
            double width = Math.max(1, bar.length() / longest * room);
            svg.text(left - GAP, y, "end", bar.label());
            svg.rectangle(left, y - BAR_HEIGHT + 6, width, BAR_HEIGHT, bar.ours() ? "f0" : "f5", "");
            svg.text(left + width + GAP, y, "muted", bar.text());
        }
        return y;
    }
}
