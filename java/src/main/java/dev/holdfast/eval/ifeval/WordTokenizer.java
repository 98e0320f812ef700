package dev.holdfast.eval.ifeval;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Splits sentences into words and marks as NLTK's {@code word_tokenize} does, in the manner of the Penn Treebank. */
final class WordTokenizer {
    private static final List<Rule> MARKS = List.of(
            rule("([\u00ab\u201c\u2018\u201e]|`+)", " $1 "),
            rule("^\"", "``"),
            rule("(``)", " $1 "),
            rule("([ (\\[{<])(\"|'{2})", "$1 `` "),
            rule("(?i)(?<!\\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\\b)(?=\\w)", "$1 "),
            rule("([^.])(\\.)([\\])}>\"'\u00bb\u201d\u2019 ]*+)\\s*$", "$1 $2 $3 "),
            rule("([:,])([^\\d])", " $1 $2"),
            rule("([:,])$", " $1 "),
            rule("(\\.{2,}|[;@#$%&])", " $1 "),
            rule("([\u2012-\u2015])", " $1 "),
            rule("([^.])(\\.)([\\])}>\"']*)\\s*$", "$1 $2$3 "),
            rule("([?!])", " $1 "),
            rule("([^'])' ", "$1 ' "),
            rule("([*])", " $1 "),
            rule("([\\]\\[(){}<>])", " $1 "),
            rule("--", " -- "));

    private static final List<Rule> ENDINGS = List.of(
            rule("([\u00bb\u201d\u2019])", " $1 "),
            rule("''", " '' "),
            rule("\"", " '' "),
            rule("\\s+", " "),
            rule("([^' ])('[sS]|'[mM]|'[dD]|') ", "$1 $2 "),
            rule("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "$1 $2 "),
            rule("(?i)\\b(can)(not)\\b", " $1 $2 "),
            rule("(?i)\\b(d)('ye)\\b", " $1 $2 "),
            rule("(?i)\\b(gim|lem)(me)\\b", " $1 $2 "),
            rule("(?i)\\b(gon)(na)\\b", " $1 $2 "),
            rule("(?i)\\b(got)(ta)\\b", " $1 $2 "),
            rule("(?i)\\b(more)('n)\\b", " $1 $2 "),
            rule("(?i)\\b(wan)(na)(?=\\s)", " $1 $2 "),
            rule("(?i) ('t)(is|was)\\b", " $1 $2 "));

    private static final Pattern SPACES = PythonString.pattern(PythonString.SPACE + "+");

    private final SentenceSplitter sentences;

    WordTokenizer(SentenceSplitter sentences) {
        this.sentences = sentences;
    }

    private record Rule(Pattern pattern, String replacement) {
        String apply(String text) {
            return pattern.matcher(text).replaceAll(replacement);
        }
    }

    private static Rule rule(String pattern, String replacement) {
        return new Rule(PythonString.pattern(pattern), replacement);
    }

    /** The words of a text, in order. */
    List<String> words(String text) {
        return sentences.split(text).stream()
                .flatMap(WordTokenizer::wordsOfSentence)
                .toList();
    }

    private static Stream<String> wordsOfSentence(String sentence) {
        String spaced = apply(ENDINGS, " " + apply(MARKS, sentence) + " ");
        return SPACES.splitAsStream(spaced).filter(word -> !word.isEmpty());
    }

    private static String apply(List<Rule> rules, String text) {
        String result = text;
        for (Rule rule : rules) {
            result = rule.apply(result);
        }
        return result;
    }
}
