package dev.holdfast.chart;

import java.util.Locale;

/** Writes the elements of a picture; text may hold anything. */
final class Svg {
    /** How many colours there are for what stands side by side. */
    static final int COLOURS = 6;

    /** The picture may stand in a page or by itself, so it brings its style along. Colours differ in lightness, too, for those who see no hue. */
    private static final String STYLE =
            """
            <style>
            .chart{--ink:#1f2328;--muted:#59636e;--rule:#d8dee4;--paper:#fff;--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#6e7781;\
            font:12px system-ui,sans-serif;background:var(--paper)}
            @media screen and (prefers-color-scheme:dark){.chart{--ink:#e6edf3;--muted:#9198a1;--rule:#30363d;--paper:#0d1117;\
            --c0:#58a6ff;--c1:#ffa657;--c2:#3fb950;--c3:#bc8cff;--c4:#f778ba;--c5:#8b949e}}
            .chart text{fill:var(--ink)}.chart .title{font-size:14px;font-weight:600}.chart .muted{fill:var(--muted)}
            .chart .rule{stroke:var(--rule);fill:none}.chart .axis{stroke:var(--muted);fill:none}.chart .mark{stroke:var(--muted);stroke-dasharray:2 4}
            .chart .line{fill:none;stroke-width:1.6;stroke-linejoin:round}.chart .dashed{stroke-dasharray:6 4}
            .chart .band{stroke:none;opacity:.18}.chart .end{text-anchor:end}.chart .middle{text-anchor:middle}
            .chart .hover{fill:var(--muted);fill-opacity:0;stroke:none}.chart .hover:hover{fill-opacity:.15}
            """
                    + colours()
                    + "</style>\n";

    private final StringBuilder body = new StringBuilder();

    private static String colours() {
        StringBuilder style = new StringBuilder();
        for (int i = 0; i < COLOURS; i++) {
            style.append(String.format(".chart .s%d{stroke:var(--c%d)}.chart .f%d{fill:var(--c%d)}", i, i, i, i));
        }
        return style.append('\n').toString();
    }

    /** The class of a line in the colour of a number. */
    static String stroke(int colour) {
        return "s" + colour % COLOURS;
    }

    /** The class of an area in the colour of a number. */
    static String fill(int colour) {
        return "f" + colour % COLOURS;
    }

    /** About how wide a text is in the small size, in pixels; the reader's font is not known. */
    static double width(String text) {
        return 7 * text.codePointCount(0, text.length());
    }

    Svg line(double x1, double y1, double x2, double y2, String classes) {
        return add("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", x1, y1, x2, y2, classes);
    }

    Svg rectangle(double x, double y, double width, double height, String classes, String tip) {
        return add(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\">%s</rect>",
                x, y, width, height, classes, tip(tip));
    }

    Svg circle(double x, double y, double radius, String classes, String tip) {
        return add(
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\">%s</circle>", x, y, radius, classes, tip(tip));
    }

    Svg text(double x, double y, String classes, String content) {
        return add("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>", x, y, classes, MarkupText.escaped(content));
    }

    /** Text that reads upwards, centred. */
    Svg upwards(double x, double y, String content) {
        return add(
                "<text transform=\"translate(%.1f %.1f) rotate(-90)\" class=\"middle muted\">%s</text>",
                x, y, MarkupText.escaped(content));
    }

    /** A path by its commands. */
    Svg path(CharSequence commands, String classes) {
        return add("<path d=\"%s\" class=\"%s\"/>", commands, classes);
    }

    private static String tip(String text) {
        return text.isEmpty() ? "" : "<title>" + MarkupText.escaped(text) + "</title>";
    }

    private Svg add(String pattern, Object... values) {
        body.append(String.format(Locale.ROOT, pattern, values)).append('\n');
        return this;
    }

    /** The whole picture; a reader of its text hears the title. */
    String picture(double width, double height, String title) {
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\""
                                + " role=\"img\" aria-label=\"%s\">%n",
                        width,
                        height,
                        width,
                        height,
                        MarkupText.escaped(title))
                + STYLE
                + body
                + "</svg>\n";
    }
}
