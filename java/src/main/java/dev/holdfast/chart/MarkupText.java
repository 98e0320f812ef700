package dev.holdfast.chart;

/** Text as it stands in pictures and pages, whatever it holds. */
public final class MarkupText {
    private MarkupText() {}

    /** The text with what has a meaning in markup, quotes included, written out, and blanks for characters that it must not hold. */
    public static String escaped(String text) {
        StringBuilder safe = new StringBuilder();
        text.codePoints().forEach(symbol -> {
            switch (symbol) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> safe.appendCodePoint(symbol < ' ' && symbol != '\n' ? ' ' : symbol);
            }
        });
        return safe.toString();
    }
}
