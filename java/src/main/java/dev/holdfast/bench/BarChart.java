package dev.holdfast.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Horizontal bars in groups, as a picture in SVG that needs nothing else. */
public final class BarChart {
    private static final int WIDTH = 900;
    private static final int LABEL_WIDTH = 260;
    private static final int VALUE_WIDTH = 150;
    private static final int BAR_HEIGHT = 20;
    private static final int GROUP_GAP = 30;
    private static final int TOP = 56;

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

    /** Adds a group; its longest bar takes the whole width. */
    public void add(String name, List<Bar> bars) {
        groups.add(new Group(name, List.copyOf(bars)));
    }

    /** The picture. */
    public String svg() {
        StringBuilder body = new StringBuilder();
        int y = TOP;
        for (Group group : groups) {
            y = draw(group, y, body) + GROUP_GAP;
        }
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                                + " font-size=\"13\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                        WIDTH,
                        y)
                + text(16, 24, "font-size=\"17\" font-weight=\"bold\"", title)
                + text(16, 44, "fill=\"#555\"", axis)
                + body
                + "</svg>\n";
    }

    private static int draw(Group group, int top, StringBuilder body) {
        int y = top + 18;
        body.append(text(16, y, "font-weight=\"bold\"", group.name()));
        double longest = group.bars().stream().mapToDouble(Bar::length).max().orElse(1);
        for (Bar bar : group.bars()) {
            y += BAR_HEIGHT + 4;
            double width = Math.max(1, bar.length() / longest * (WIDTH - LABEL_WIDTH - VALUE_WIDTH));
            body.append(text(LABEL_WIDTH - 8, y, "text-anchor=\"end\"", bar.label()))
                    .append(String.format(
                            Locale.ROOT,
                            "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
                            LABEL_WIDTH,
                            y - BAR_HEIGHT + 5,
                            width,
                            BAR_HEIGHT,
                            bar.ours() ? "#1f6feb" : "#b0b7c0"))
                    .append(text((int) (LABEL_WIDTH + width + 6), y, "", bar.text()));
        }
        return y;
    }

    private static String text(int x, int y, String attributes, String content) {
        return String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\" %s>%s</text>%n", x, y, attributes, escaped(content));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
