package dev.holdfast.report;

import dev.holdfast.chart.MarkupText;
import java.util.List;

/** Writes a page. Text is escaped, whatever it holds; only pictures are taken as they are. */
final class Html {
    private static final String STYLE =
            """
            :root{color-scheme:light dark;--ink:#1f2328;--muted:#59636e;--rule:#d8dee4;--paper:#fff;--raised:#f6f8fa;--warn:#9a6700;--bad:#cf222e;--good:#1a7f37}
            @media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--muted:#9198a1;--rule:#30363d;--paper:#0d1117;--raised:#161b22;--warn:#d29922;--bad:#f85149;--good:#3fb950}}
            *{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
            main{max-width:1200px;margin:0 auto;padding:24px 20px 60px}h1{font-size:24px;margin:0 0 8px}h2{font-size:18px;margin:36px 0 10px}
            p{max-width:80ch;margin:8px 0}.muted{color:var(--muted)}a{color:inherit}
            .note{border-left:4px solid var(--warn);background:var(--raised);padding:8px 14px;margin:12px 0;max-width:80ch}.note.bad{border-color:var(--bad)}.note.good{border-color:var(--good)}
            .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:12px;margin:20px 0}
            .card{border:1px solid var(--rule);border-radius:8px;padding:12px 14px;background:var(--raised);break-inside:avoid}
            .card b{display:block;font-size:24px;font-weight:600;line-height:1.2}.card span{display:block;font-weight:600}.card small{color:var(--muted);font-size:13px;line-height:1.35;display:block;margin-top:4px}
            .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:12px;margin:16px 0}
            figure{margin:0;border:1px solid var(--rule);border-radius:8px;overflow:hidden;break-inside:avoid}figure svg{display:block;width:100%;height:auto}
            figcaption{padding:0 14px 12px;color:var(--muted);font-size:13px;line-height:1.4}
            .wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
            th,td{padding:5px 12px;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}th{color:var(--muted);font-weight:600;vertical-align:bottom}
            th:first-child,td:first-child{text-align:left;padding-left:0}table.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}table.facts td:first-child{color:var(--muted);white-space:nowrap}
            pre{background:var(--raised);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;overflow-x:auto;font-size:13px}code{overflow-wrap:anywhere}
            @media print{body{font-size:12px}main{padding:0}.charts{grid-template-columns:1fr 1fr}}
            """;

    private final StringBuilder body = new StringBuilder();

    Html heading(String text) {
        return element("h1", "", text);
    }

    Html section(String text) {
        return element("h2", "", text);
    }

    Html paragraph(String text) {
        return element("p", "", text);
    }

    Html note(String kind, String text) {
        return element("div", "note " + kind, text);
    }

    Html preformatted(String text) {
        return element("pre", "", text);
    }

    Html link(String address, String text) {
        body.append("<p><a href=\"")
                .append(MarkupText.escaped(address))
                .append("\">")
                .append(MarkupText.escaped(text))
                .append("</a></p>\n");
        return this;
    }

    /** A number that stands out. */
    record Card(String name, String value, String meaning) {}

    Html cards(List<Card> cards) {
        body.append("<div class=\"cards\">\n");
        for (Card card : cards) {
            body.append("<div class=\"card\">");
            element("span", "", card.name()).element("b", "", card.value()).element("small", "", card.meaning());
            body.append("</div>\n");
        }
        body.append("</div>\n");
        return this;
    }

    /**
     * A picture with what it shows.
     *
     * @param svg is not escaped
     */
    record Figure(String svg, String caption) {}

    Html figures(List<Figure> figures) {
        body.append("<div class=\"charts\">\n");
        for (Figure figure : figures) {
            body.append("<figure>").append(figure.svg());
            element("figcaption", "", figure.caption());
            body.append("</figure>\n");
        }
        body.append("</div>\n");
        return this;
    }

    /** A table of numbers under their names. */
    Html table(List<String> names, List<List<String>> rows) {
        body.append("<div class=\"wide\"><table>\n<tr>");
        names.forEach(name -> element("th", "", name));
        body.append("</tr>\n");
        rows.forEach(this::row);
        body.append("</table></div>\n");
        return this;
    }

    /** A table of names and what they are. */
    Html facts(List<List<String>> facts) {
        body.append("<table class=\"facts\">\n");
        facts.forEach(this::row);
        body.append("</table>\n");
        return this;
    }

    private void row(List<String> cells) {
        body.append("<tr>");
        cells.forEach(cell -> element("td", "", cell));
        body.append("</tr>\n");
    }

    private Html element(String name, String classes, String text) {
        body.append('<').append(name);
        if (!classes.isBlank()) {
            body.append(" class=\"").append(classes.strip()).append('"');
        }
        body.append('>')
                .append(MarkupText.escaped(text))
                .append("</")
                .append(name)
                .append(">\n");
        return this;
    }

    /** The whole page. */
    String page(String title) {
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                + "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n<title>"
                + MarkupText.escaped(title)
                + "</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n<main>\n" + body
                + "</main>\n</body>\n</html>\n";
    }
}
