package dev.holdfast.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Python's methods and escapes of texts, as far as chat templates use them. */
final class PythonText {
    private static final Pattern ESCAPE =
            Pattern.compile("\\\\(?:\\n|[abfnrtv'\"\\\\]|x\\p{XDigit}{2}|u\\p{XDigit}{4}|U\\p{XDigit}{8})");
    private static final Pattern LINE_END = Pattern.compile("\r\n|[\n\r\u000b\f\u001c-\u001e\u0085\u2028\u2029]");

    private PythonText() {}

    /**
     * The result of a method.
     *
     * @throws TemplateRefusal if there is no such method here
     */
    static Object call(String text, String method, Object[] arguments) {
        return switch (method) {
            case "strip" -> strip(text, arguments, true, true);
            case "lstrip" -> strip(text, arguments, true, false);
            case "rstrip" -> strip(text, arguments, false, true);
            case "split" -> split(text, arguments);
            case "rsplit" -> splitFromEnd(text, arguments);
            case "splitlines" -> splitLines(text);
            case "startswith" -> options(arguments[0]).stream().anyMatch(text::startsWith);
            case "endswith" -> options(arguments[0]).stream().anyMatch(text::endsWith);
            case "removeprefix" -> text.startsWith(string(arguments[0]))
                    ? text.substring(string(arguments[0]).length())
                    : text;
            case "removesuffix" -> text.endsWith(string(arguments[0]))
                    ? text.substring(0, text.length() - string(arguments[0]).length())
                    : text;
            case "replace" -> replace(text, string(arguments[0]), string(arguments[1]), limit(arguments, 2));
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> capitalize(text);
            case "title" -> title(text);
            case "find" -> index(text, text.indexOf(string(arguments[0])));
            case "rfind" -> index(text, text.lastIndexOf(string(arguments[0])));
            case "count" -> (long) text.split(Pattern.quote(string(arguments[0])), -1).length - 1;
            case "join" -> LoopTag.items(arguments[0]).stream()
                    .map(PythonText::string)
                    .collect(Collectors.joining(text));
            case "isdigit" -> !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
            case "isspace" -> !text.isEmpty() && text.codePoints().allMatch(PythonText::isSpace);
            default -> throw new TemplateRefusal(method + "(): not a method of texts in chat templates");
        };
    }

    /** What Python's {@code str} makes of a value; nothing of null, which stands for undefined. */
    static String of(Object value) {
        return value == null ? "" : value instanceof CharSequence ? value.toString() : quoted(value);
    }

    /** What Python's {@code repr} makes of a value. */
    private static String quoted(Object value) {
        if (value == null) {
            return "None";
        } else if (value instanceof Boolean truth) {
            return truth ? "True" : "False";
        } else if (value instanceof CharSequence text) {
            String quote = text.toString().contains("'") && !text.toString().contains("\"") ? "\"" : "'";
            String escaped = text.toString()
                    .replace("\\", "\\\\")
                    .replace("\n", "\\n")
                    .replace("\r", "\\r")
                    .replace("\t", "\\t");
            return quote + (quote.equals("'") ? escaped.replace("'", "\\'") : escaped) + quote;
        } else if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> quoted(entry.getKey()) + ": " + quoted(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        } else if (value instanceof List || value instanceof Object[]) {
            return LoopTag.items(value).stream().map(PythonText::quoted).collect(Collectors.joining(", ", "[", "]"));
        }
        return value.toString();
    }

    /** Spaces, or the characters of the first argument, removed at the ends. */
    private static String strip(String text, Object[] arguments, boolean left, boolean right) {
        String characters = arguments.length > 0 && arguments[0] != null ? string(arguments[0]) : null;
        int[] codePoints = text.codePoints().toArray();
        int start = 0;
        int end = codePoints.length;
        while (left && start < end && isStripped(codePoints[start], characters)) {
            start++;
        }
        while (right && end > start && isStripped(codePoints[end - 1], characters)) {
            end--;
        }
        return new String(codePoints, start, end - start);
    }

    private static boolean isStripped(int codePoint, String characters) {
        return characters == null ? isSpace(codePoint) : characters.indexOf(codePoint) >= 0;
    }

    /** What Python calls white space: Java's, the no-break spaces, and the next-line character. */
    static boolean isSpace(int codePoint) {
        return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint) || codePoint == 0x85;
    }

    private static List<String> split(String text, Object[] arguments) {
        int limit = limit(arguments, 1);
        if (arguments.length > 0 && arguments[0] != null) {
            return Arrays.asList(text.split(Pattern.quote(string(arguments[0])), limit < 0 ? -1 : limit + 1));
        }
        List<String> words = new ArrayList<>();
        String rest = strip(text, new Object[0], true, false);
        while (!rest.isEmpty()) {
            int end = words.size() == limit ? rest.length() : wordEnd(rest);
            words.add(rest.substring(0, end));
            rest = strip(rest.substring(end), new Object[0], true, false);
        }
        return words;
    }

    private static int wordEnd(String text) {
        int end = 0;
        while (end < text.length() && !isSpace(text.codePointAt(end))) {
            end += Character.charCount(text.codePointAt(end));
        }
        return end;
    }

    private static List<String> splitFromEnd(String text, Object[] arguments) {
        int limit = limit(arguments, 1);
        if (limit < 0 || arguments[0] == null) {
            return split(text, Arrays.copyOf(arguments, Math.min(1, arguments.length)));
        }
        List<String> parts = new ArrayList<>();
        String separator = string(arguments[0]);
        String rest = text;
        for (int at = rest.lastIndexOf(separator); at >= 0 && parts.size() < limit; at = rest.lastIndexOf(separator)) {
            parts.add(0, rest.substring(at + separator.length()));
            rest = rest.substring(0, at);
        }
        parts.add(0, rest);
        return parts;
    }

    private static List<String> splitLines(String text) {
        List<String> lines = new ArrayList<>(Arrays.asList(LINE_END.split(text, -1)));
        if (lines.get(lines.size() - 1).isEmpty()) {
            lines.remove(lines.size() - 1);
        }
        return lines;
    }

    private static String replace(String text, String old, String replacement, int limit) {
        if (limit < 0) {
            return text.replace(old, replacement);
        }
        String result = text;
        int from = 0;
        for (int done = 0; done < limit && result.indexOf(old, from) >= 0; done++) {
            int at = result.indexOf(old, from);
            result = result.substring(0, at) + replacement + result.substring(at + old.length());
            from = at + replacement.length() + (old.isEmpty() ? 1 : 0);
        }
        return result;
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder output = new StringBuilder();
        boolean inWord = false;
        for (int codePoint : text.codePoints().toArray()) {
            String character = Character.toString(codePoint);
            output.append(inWord ? character.toLowerCase(Locale.ROOT) : character.toUpperCase(Locale.ROOT));
            inWord = Character.isLetter(codePoint);
        }
        return output.toString();
    }

    private static long index(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static List<String> options(Object value) {
        return value instanceof List<?> list
                ? list.stream().map(PythonText::string).toList()
                : List.of(string(value));
    }

    private static int limit(Object[] arguments, int index) {
        return arguments.length > index && arguments[index] instanceof Number number ? number.intValue() : -1;
    }

    private static String string(Object value) {
        if (value instanceof CharSequence text) {
            return text.toString();
        }
        throw new TemplateRefusal("expected a text, got " + value);
    }

    /** The text that a Python literal stands for; unknown escapes stay as they are, as in Python. */
    static String unescape(String literal) {
        return ESCAPE.matcher(literal)
                .replaceAll(match ->
                        Matcher.quoteReplacement(character(match.group().substring(1))));
    }

    private static String character(String escape) {
        return switch (escape.charAt(0)) {
            case '\n' -> "";
            case 'a' -> "\u0007";
            case 'b' -> "\b";
            case 'f' -> "\f";
            case 'n' -> "\n";
            case 'r' -> "\r";
            case 't' -> "\t";
            case 'v' -> "\u000b";
            case 'x', 'u', 'U' -> Character.toString((int) Long.parseLong(escape.substring(1), 16));
            default -> escape;
        };
    }
}
