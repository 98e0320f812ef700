package dev.holdfast.data;

import dev.holdfast.error.InvalidInputException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewrites a template so that Jinjava renders it as Jinja2 would.
 *
 * <p>White space around blocks is settled here, by Jinja2's rules with {@code trim_blocks} and {@code lstrip_blocks}: Jinjava strips
 * spaces before any block, not only where a block begins its line. Expressions are rewritten by {@link TemplateExpression}. Comments
 * vanish, and so do {@code generation} blocks, which only mark text.
 */
final class TemplateText {
    private static final Pattern OPENING = Pattern.compile("\\{([%{#])([-+]?)");
    private static final Pattern MARKER = Pattern.compile("\\s*(end)?generation\\s*");
    private static final Pattern SPACE = Pattern.compile("\\s*");

    private final String source;
    private final StringBuilder output = new StringBuilder();
    private int position;

    TemplateText(String source) {
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
    }

    String normalised() {
        Matcher opening = OPENING.matcher(source);
        while (opening.find(position)) {
            appendText(opening.start(), opening.group(1).charAt(0), opening.group(2));
            appendBlock(opening.group(1).charAt(0), opening.end());
        }
        return output.append(source, position, source.length()).toString();
    }

    /** Text before a block, stripped as the block's opening asks. */
    private void appendText(int end, char kind, String control) {
        String text = source.substring(position, end);
        if (control.equals("-")) {
            text = text.stripTrailing();
        } else if (control.isEmpty() && kind != '{') {
            int line = text.lastIndexOf('\n') + 1;
            boolean beginsLine = line > 0 || position == 0 || source.charAt(position - 1) == '\n';
            text = beginsLine && text.substring(line).isBlank() ? text.substring(0, line) : text;
        }
        output.append(text);
    }

    private void appendBlock(char kind, int start) {
        String closing = kind == '{' ? "}}" : kind + "}";
        int end = kind == '#' ? source.indexOf(closing, start) : closingIndex(closing, start);
        if (end < 0) {
            throw new InvalidInputException(
                    "chat template: character " + start + ": expected " + closing + " to close the block");
        }
        char control = end > start ? source.charAt(end - 1) : ' ';
        boolean controlled = control == '-' || control == '+' && kind != '{';
        String content = source.substring(start, controlled ? end - 1 : end);
        position = end + 2;
        skipSpace(kind, controlled ? control : ' ');
        if (kind != '#' && !MARKER.matcher(content).matches()) {
            String rewritten = TemplateExpression.rewrite(content.strip());
            // Jinjava would take a leading minus for white space control.
            output.append('{')
                    .append(kind)
                    .append(' ')
                    .append(rewritten.startsWith("-") ? "(" + rewritten + ")" : rewritten)
                    .append(' ')
                    .append(closing);
        }
    }

    private void skipSpace(char kind, char control) {
        if (control == '-') {
            Matcher space = SPACE.matcher(source).region(position, source.length());
            position = space.lookingAt() ? space.end() : position;
        } else if (control == ' ' && kind != '{' && source.startsWith("\n", position)) {
            position++;
        }
    }

    /** The index of the block's closing outside texts and brackets; -1 if it never closes. */
    private int closingIndex(String closing, int start) {
        List<String> tokens = TemplateTokens.of(source.substring(start));
        int depth = 0;
        int index = start;
        for (String token : tokens) {
            if (depth == 0 && source.startsWith(closing, index) && !TemplateTokens.isText(token)) {
                return index;
            }
            depth += TemplateTokens.depthChange(token);
            index += token.length();
        }
        return -1;
    }
}
