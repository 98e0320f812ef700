package dev.holdfast.eval.ifeval;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's strings and regular expressions, where Java's differ. */
final class PythonString {
    /** {@code \w} of Python's {@code re}: no combining marks, unlike Java's. */
    static final String WORD = "[\\p{L}\\p{N}_]";

    /** {@code \s} of Python's {@code re}. */
    static final String SPACE = "[\\s\\x1c-\\x1f]";

    /** {@code \d} of Python's {@code re}. */
    static final String DIGIT = "\\p{Nd}";

    /** {@code \b} of Python's {@code re}. */
    static final String BOUNDARY = "(?:(?<=" + WORD + ")(?!" + WORD + ")|(?<!" + WORD + ")(?=" + WORD + "))";

    private PythonString() {}

    /** A pattern in whose flavour a line ends at a line feed alone and classes are Unicode's. */
    static Pattern pattern(String regex) {
        return Pattern.compile(regex, Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** As {@link #pattern}, with {@code re.MULTILINE}. */
    static Pattern multiline(String regex) {
        return Pattern.compile(regex, Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS | Pattern.MULTILINE);
    }

    /** As {@link #pattern}, with {@code re.IGNORECASE}. */
    static Pattern ignoringCase(String regex) {
        return Pattern.compile(
                regex,
                Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS | Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
    }

    /** {@code len(re.findall(pattern, text))}. */
    static int count(Pattern pattern, String text) {
        return findAll(pattern, text).size();
    }

    /** {@code re.findall(pattern, text)} of a pattern without groups. */
    static List<String> findAll(Pattern pattern, String text) {
        List<String> found = new ArrayList<>();
        for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
            found.add(matcher.group());
        }
        return found;
    }

    /** {@code re.split(pattern, text)}: empty parts stay. */
    static List<String> split(Pattern pattern, String text) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (Matcher matcher = pattern.matcher(text); matcher.find(); start = matcher.end()) {
            parts.add(text.substring(start, matcher.start()));
        }
        parts.add(text.substring(start));
        return parts;
    }

    /** {@code str.strip()}. */
    static String strip(String text) {
        return strip(text, PythonString::isSpace);
    }

    /** {@code str.strip(character)}. */
    static String strip(String text, char character) {
        return strip(text, point -> point == character);
    }

    private static String strip(String text, IntPredicate removed) {
        return stripEnd(stripStart(text, removed), removed);
    }

    /** {@code str.rstrip()}. */
    static String stripEnd(String text) {
        return stripEnd(text, PythonString::isSpace);
    }

    /** {@code str.lstrip(character)}. */
    static String stripStart(String text, char character) {
        return stripStart(text, point -> point == character);
    }

    /** {@code str.rstrip(character)}. */
    static String stripEnd(String text, char character) {
        return stripEnd(text, point -> point == character);
    }

    // White space and the characters that are stripped are all in the basic plane, so chars do.
    private static String stripStart(String text, IntPredicate removed) {
        int start = 0;
        while (start < text.length() && removed.test(text.charAt(start))) {
            start++;
        }
        return text.substring(start);
    }

    private static String stripEnd(String text, IntPredicate removed) {
        int end = text.length();
        while (end > 0 && removed.test(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /** {@code str.isspace()} of one character. */
    static boolean isSpace(int point) {
        return Character.isWhitespace(point) || Character.isSpaceChar(point) || point == 0x85;
    }

    /** Whether {@code str.strip()} leaves nothing. */
    static boolean isBlank(String text) {
        return text.chars().allMatch(PythonString::isSpace);
    }

    /** {@code str.lower()}. */
    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** {@code str.isupper()}: a cased character, and none of another case. */
    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(point -> Character.isLowerCase(point) || Character.isTitleCase(point));
    }

    /** {@code str.islower()}. */
    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(point -> Character.isUpperCase(point) || Character.isTitleCase(point));
    }
}
