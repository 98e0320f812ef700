package dev.holdfast.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Rewrites the parts of Jinja expressions that Jinjava cannot parse.
 *
 * <ul>
 *   <li>Slices: {@code x[a:b:c]} becomes {@code x.__slice__(a, b, c)}; Jinjava knows no step and miscounts negative ends.
 *   <li>Named arguments: {@code f(a=b - 1)} becomes {@code f(a=(b - 1))}; Jinjava would subtract from the argument.
 *   <li>Maps within maps: {@code }}} becomes {@code } }}, which Jinjava does not take for the end of the block.
 *   <li>Texts: escapes that Jinjava refuses are resolved, and neighbouring texts joined, as Python does.
 * </ul>
 */
final class TemplateExpression {
    private static final Set<String> KEYWORDS =
            Set.of("in", "if", "else", "elif", "and", "or", "not", "is", "set", "for", "do");

    private TemplateExpression() {}

    static String rewrite(String expression) {
        return String.join("", rewrite(TemplateTokens.of(expression)));
    }

    private static List<String> rewrite(List<String> tokens) {
        List<String> result = new ArrayList<>();
        for (int index = 0; index < tokens.size(); index++) {
            String token = tokens.get(index);
            int end = token.equals("[") && endsOperand(result)
                    ? TemplateTokens.indexAtTopLevel(tokens, "]", index + 1)
                    : -1;
            List<List<String>> bounds = end < 0 ? List.of() : split(tokens.subList(index + 1, end));
            if (bounds.size() > 1) {
                result.add(slice(bounds));
                index = end;
            } else if (TemplateTokens.isText(token)) {
                addText(result, token);
            } else if (namesArgument(tokens, index)) {
                int last = argumentEnd(tokens, index + 1);
                result.add("=("
                        + String.join("", rewrite(tokens.subList(index + 1, last)))
                                .strip() + ")");
                index = last - 1;
            } else if (token.equals("}") && last(result).equals("}")) {
                result.add(" }");
            } else {
                result.add(token);
            }
        }
        return result;
    }

    /** Whether the token is an equals sign between a name and a value of several tokens, inside brackets. */
    private static boolean namesArgument(List<String> tokens, int index) {
        if (!tokens.get(index).equals("=")
                || index == 0
                || index + 1 == tokens.size()
                || tokens.get(index + 1).equals("=")) {
            return false;
        }
        String before = last(tokens.subList(0, index));
        boolean afterName =
                !before.isEmpty() && Character.isUnicodeIdentifierPart(before.codePointBefore(before.length()));
        int depth = tokens.subList(0, index).stream()
                .mapToInt(TemplateTokens::depthChange)
                .sum();
        List<String> value = tokens.subList(index + 1, argumentEnd(tokens, index + 1));
        long parts =
                value.stream().filter(token -> !TemplateTokens.isSpace(token)).count();
        return afterName && depth > 0 && parts > 1;
    }

    /** The index of the comma or closing bracket behind an argument. */
    private static int argumentEnd(List<String> tokens, int start) {
        int depth = 0;
        for (int index = start; index < tokens.size(); index++) {
            depth += TemplateTokens.depthChange(tokens.get(index));
            if (depth < 0 || depth == 0 && tokens.get(index).equals(",")) {
                return index;
            }
        }
        return tokens.size();
    }

    private static boolean endsOperand(List<String> tokens) {
        String last = last(tokens);
        boolean isName = !last.isEmpty() && Character.isUnicodeIdentifierStart(last.charAt(0)) || last.startsWith("_");
        return isName && !KEYWORDS.contains(last)
                || last.endsWith(")")
                || last.endsWith("]")
                || TemplateTokens.isText(last);
    }

    private static String last(List<String> tokens) {
        for (int index = tokens.size() - 1; index >= 0; index--) {
            if (!TemplateTokens.isSpace(tokens.get(index))) {
                return tokens.get(index);
            }
        }
        return "";
    }

    /** Splits at the colons outside brackets. */
    private static List<List<String>> split(List<String> tokens) {
        List<List<String>> parts = new ArrayList<>();
        int start = 0;
        for (int colon = TemplateTokens.indexAtTopLevel(tokens, ":", 0);
                colon >= 0;
                colon = TemplateTokens.indexAtTopLevel(tokens, ":", start)) {
            parts.add(tokens.subList(start, colon));
            start = colon + 1;
        }
        parts.add(tokens.subList(start, tokens.size()));
        return parts;
    }

    private static String slice(List<List<String>> bounds) {
        List<String> arguments = new ArrayList<>();
        for (List<String> bound : bounds) {
            String argument = String.join("", rewrite(bound)).strip();
            arguments.add(argument.isEmpty() ? "null" : argument);
        }
        return "." + TemplateValues.SLICE + "(" + String.join(", ", arguments) + ")";
    }

    private static void addText(List<String> result, String token) {
        String text = PythonText.unescape(token.substring(1, token.length() - 1));
        if (TemplateTokens.isText(last(result))) {
            int previous = result.lastIndexOf(last(result));
            String joined = PythonText.unescape(result.get(previous)
                            .substring(1, result.get(previous).length() - 1))
                    + text;
            result.subList(previous, result.size()).clear();
            text = joined;
        }
        result.add(quote(text));
    }

    private static String quote(String text) {
        String escaped = text.replace("\\", "\\\\")
                .replace("'", "\\'")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\t", "\\t");
        return "'" + escaped + "'";
    }
}
