package dev.holdfast.eval.ifeval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the official program sees of the parts of a response: paragraphs, sections, lists, marks. */
final class ResponseLayout {
    static final Pattern PLACEHOLDER = PythonString.pattern("\\[.*?\\]");
    /** NLTK's words, which unlike Python's keep combining marks. */
    static final Pattern WORD = PythonString.pattern("\\w+");

    private static final String SPACE = PythonString.SPACE;
    private static final Pattern DIVIDER = PythonString.pattern(SPACE + "?\\*\\*\\*" + SPACE + "?");
    private static final Pattern STARRED = PythonString.multiline("^" + SPACE + "*\\*[^*].*$");
    private static final Pattern DASHED = PythonString.multiline("^" + SPACE + "*-.*$");
    private static final Pattern HIGHLIGHT = PythonString.pattern("\\*[^\\n*]*\\*");
    private static final Pattern DOUBLE_HIGHLIGHT = PythonString.pattern("\\*\\*[^\\n*]*\\*\\*");
    private static final Pattern TITLE = PythonString.pattern("<<[^\\n]+>>");
    private static final Pattern BLANK_LINE = Pattern.compile("\n\n");
    private static final Pattern SIX_STARS = Pattern.compile("\\*{6}");
    private static final List<String> FENCES = List.of("```json", "```Json", "```JSON", "```");
    private static final String WORD_ENDS = ".,?!'\"";

    private static final ObjectReader JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    private ResponseLayout() {}

    /** The regular expression of a section's heading. */
    static String sectionHeading(String splitter) {
        return SPACE + "?" + splitter + SPACE + "?" + PythonString.DIGIT + "+" + SPACE + "?";
    }

    /** The regular expression of a postscript in a text of lower case. */
    static String postscript(String marker) {
        String words =
                switch (marker) {
                    case "P.P.S" -> "p\\." + SPACE + "?p\\." + SPACE + "?s";
                    case "P.S." -> "p\\." + SPACE + "?s\\.";
                    default -> PythonString.lower(marker);
                };
        return SPACE + "*" + words + ".*$";
    }

    /** Paragraphs divided by {@code ***}; only the first and the last may be empty, and do not count then. */
    static boolean hasDividedParagraphs(String response, int count) {
        List<String> parts = PythonString.split(DIVIDER, response);
        int last = parts.size() - 1;
        boolean isEmptyInside = last > 1 && parts.subList(1, last).stream().anyMatch(PythonString::isBlank);
        return !isEmptyInside && written(parts.stream()) == count;
    }

    private static long written(Stream<String> parts) {
        return parts.filter(part -> !PythonString.isBlank(part)).count();
    }

    /** Whether there are so many paragraphs and the one at a place, from 1, begins with a word of lower case. */
    static boolean paragraphBegins(String response, int count, int place, String word) {
        List<String> paragraphs = PythonString.split(BLANK_LINE, response);
        long written = written(paragraphs.stream());
        if (place < 1 || place > written || PythonString.isBlank(paragraphs.get(place - 1))) {
            return false;
        }
        return written == count && firstWord(paragraphs.get(place - 1)).equals(word);
    }

    private static String firstWord(String paragraph) {
        String stripped = PythonString.strip(paragraph);
        int end = 0;
        while (end < stripped.length() && !PythonString.isSpace(stripped.charAt(end))) {
            end++;
        }
        String word = PythonString.stripStart(PythonString.stripStart(stripped.substring(0, end), '\''), '"');
        int wordEnd = 0;
        while (wordEnd < word.length() && WORD_ENDS.indexOf(word.charAt(wordEnd)) < 0) {
            wordEnd++;
        }
        return PythonString.lower(word.substring(0, wordEnd));
    }

    /** Lines that begin with a star or a dash. */
    static int bullets(String response) {
        return PythonString.count(STARRED, response) + PythonString.count(DASHED, response);
    }

    /** Texts between stars; what stands between double stars counts for both. */
    static long highlights(String response) {
        Stream<String> single =
                PythonString.findAll(HIGHLIGHT, response).stream().map(text -> PythonString.strip(text, '*'));
        Stream<String> doubled = PythonString.findAll(DOUBLE_HIGHLIGHT, response).stream()
                .map(text -> text.substring(2, text.length() - 2));
        return written(Stream.concat(single, doubled));
    }

    /** One JSON value, perhaps fenced as code. */
    static boolean isJson(String response) {
        String text = PythonString.strip(response);
        for (String fence : FENCES) {
            text = text.startsWith(fence) ? text.substring(fence.length()) : text;
        }
        text = text.endsWith("```") ? text.substring(0, text.length() - 3) : text;
        try {
            return !JSON.readTree(PythonString.strip(text)).isMissingNode();
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    /** A text in double angle brackets. */
    static boolean hasTitle(String response) {
        return PythonString.findAll(TITLE, response).stream()
                .map(title -> PythonString.stripEnd(PythonString.stripStart(title, '<'), '>'))
                .anyMatch(title -> !PythonString.isBlank(title));
    }

    /** Two different texts with six stars between them. */
    static boolean isTwoResponses(String response) {
        List<String> parts = PythonString.split(SIX_STARS, response);
        int last = parts.size() - 1;
        if (last > 1 && parts.subList(1, last).stream().anyMatch(PythonString::isBlank)) {
            return false;
        }
        List<String> responses = parts.stream()
                .filter(part -> !PythonString.isBlank(part))
                .map(PythonString::strip)
                .toList();
        return responses.size() == 2 && !responses.get(0).equals(responses.get(1));
    }
}
