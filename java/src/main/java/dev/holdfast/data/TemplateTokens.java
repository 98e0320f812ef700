package dev.holdfast.data;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tokens of a Jinja expression: texts in quotes, names, numbers, white space, single operator characters. */
final class TemplateTokens {
    private static final Pattern TOKEN = Pattern.compile(
            "'(?:[^'\\\\]|\\\\.)*+'|\"(?:[^\"\\\\]|\\\\.)*+\"|[\\p{L}_][\\p{L}\\p{N}_]*+|\\d++(?:\\.\\d++)?|\\s++|.",
            Pattern.DOTALL);

    private TemplateTokens() {}

    /** All tokens, white space included; joined they are the expression. */
    static List<String> of(String expression) {
        List<String> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(expression);
        while (matcher.find()) {
            tokens.add(matcher.group());
        }
        return tokens;
    }

    /** The index of a token outside all brackets, searched from an index on; -1 if there is none. */
    static int indexAtTopLevel(List<String> tokens, String wanted, int from) {
        int depth = 0;
        for (int index = from; index < tokens.size(); index++) {
            if (depth == 0 && tokens.get(index).equals(wanted)) {
                return index;
            }
            depth += depthChange(tokens.get(index));
        }
        return -1;
    }

    /** 1 for an opening bracket, -1 for a closing one, else 0. */
    static int depthChange(String token) {
        return switch (token) {
            case "(", "[", "{" -> 1;
            case ")", "]", "}" -> -1;
            default -> 0;
        };
    }

    static boolean isSpace(String token) {
        return Character.isWhitespace(token.charAt(0));
    }

    static boolean isText(String token) {
        return token.length() > 1 && (token.charAt(0) == '\'' || token.charAt(0) == '"');
    }
}
