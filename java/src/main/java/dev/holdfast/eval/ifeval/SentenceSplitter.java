package dev.holdfast.eval.ifeval;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a text into sentences by Punkt, as NLTK does.
 *
 * <p>Source: Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection", Computational Linguistics 32 (2006).
 */
final class SentenceSplitter {
    private static final String CLOSING_QUOTES = "\u2018\u2019\u201c\u201d\u00ab\u00bb";
    private static final String NO_WORD = "[)\";}\\]*:@'({\\[?!" + CLOSING_QUOTES + "]";
    private static final String RUN = "(?:-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.)";
    private static final String WORD_START = "[^(\"`{\\[:;&#*@)}\\]\\-,]";
    private static final String WORD_END = "\\s|$|" + NO_WORD + "|" + RUN;

    private static final Pattern WORD =
            PythonString.pattern(RUN + "|(?=" + WORD_START + ")\\S+?(?=" + WORD_END + "|,(?=" + WORD_END + "))|\\S");
    private static final Pattern POSSIBLE_END =
            PythonString.pattern("[.?!](?=(?<after>" + NO_WORD + "|\\s+(?<next>\\S+)))");
    private static final Pattern CLOSING =
            PythonString.multiline("[\"')\\]}" + CLOSING_QUOTES + "]+?(?:\\s+|(?=--)|$)");
    private static final String ASCII_SPACE = " \t\n\r\u000b\f";

    private final PunktParameters parameters;

    SentenceSplitter(PunktParameters parameters) {
        this.parameters = parameters;
    }

    /** A part of the text. */
    private record Span(int start, int end) {}

    /**
     * A place where a sentence may end.
     *
     * @param wordStart where the word before it begins
     * @param mark the place of the mark
     * @param contextEnd the end of what follows it as far as it is looked at
     * @param next where the next word begins; the place behind the mark if none follows
     */
    private record Candidate(int wordStart, int mark, int contextEnd, int next) {}

    /** The sentences of a text, in order. */
    List<String> split(String text) {
        return realigned(text, spans(text)).stream()
                .map(span -> text.substring(span.start(), span.end()))
                .filter(sentence -> !sentence.isEmpty())
                .toList();
    }

    private List<Span> spans(String text) {
        List<Span> spans = new ArrayList<>();
        int start = 0;
        for (Candidate candidate : candidates(text)) {
            if (endsSentence(text.substring(candidate.wordStart(), candidate.contextEnd()))) {
                spans.add(new Span(start, candidate.mark() + 1));
                start = candidate.next();
            }
        }
        spans.add(new Span(start, Math.max(start, PythonString.stripEnd(text).length())));
        return spans;
    }

    /** Of several marks behind one word the last. */
    private static List<Candidate> candidates(String text) {
        List<Candidate> candidates = new ArrayList<>();
        Candidate previous = new Candidate(0, 0, 0, 0);
        boolean hasPrevious = false;
        for (Matcher matcher = POSSIBLE_END.matcher(text); matcher.find(); ) {
            int wordStart = wordStart(text, hasPrevious ? previous.mark() : 0, previous.wordStart(), matcher.start());
            if (hasPrevious && previous.mark() <= wordStart) {
                candidates.add(previous);
            }
            int next = matcher.start("next") < 0 ? matcher.end() : matcher.start("next");
            previous = new Candidate(wordStart, matcher.start(), matcher.end("after"), next);
            hasPrevious = true;
        }
        if (hasPrevious) {
            candidates.add(previous);
        }
        return candidates;
    }

    /** Behind the last blank since the previous mark; a blank that stands first there does not count. */
    private static int wordStart(String text, int from, int otherwise, int mark) {
        for (int place = mark - 1; place > from; place--) {
            if (ASCII_SPACE.indexOf(text.charAt(place)) >= 0) {
                return place + 1;
            }
        }
        return otherwise;
    }

    /** Whether a token but the last ends a sentence. */
    private boolean endsSentence(String context) {
        List<PunktToken> tokens = tokens(context);
        for (int index = 0; index + 1 < tokens.size(); index++) {
            if (endsSentence(tokens.get(index), tokens.get(index + 1))) {
                return true;
            }
        }
        return false;
    }

    private List<PunktToken> tokens(String text) {
        List<PunktToken> tokens = new ArrayList<>();
        for (String line : text.split("\n")) {
            for (String word : PythonString.findAll(WORD, line)) {
                PunktToken token = new PunktToken(word);
                token.annotate(parameters);
                tokens.add(token);
            }
        }
        return tokens;
    }

    private boolean endsSentence(PunktToken token, PunktToken next) {
        if (token.endsInPeriod()) {
            reconsider(token, next);
        }
        return token.endsSentence();
    }

    private void reconsider(PunktToken token, PunktToken next) {
        if (parameters.isCollocation(token.typeWithoutPeriod(), next.typeOfFollower())) {
            token.markAsAbbreviationWithin();
            return;
        }
        Optional<Boolean> starts = startsSentence(next);
        if (token.isAbbreviationOrEllipsis() && !token.isInitial()) {
            boolean often = next.isCapitalised() && parameters.starters().contains(next.typeOfFollower());
            if (starts.orElse(false) || often) {
                token.markAsEnd();
                return;
            }
        }
        if (token.isInitial() || token.isNumber()) {
            boolean isName = token.isInitial()
                    && next.isCapitalised()
                    && !parameters.wasSeen(next.typeOfFollower(), PunktParameters.LOWER);
            if (!starts.orElse(!isName)) {
                token.markAsAbbreviationWithin();
            }
        }
    }

    /** Whether the case of a word says that it begins a sentence; nothing if it may or may not. */
    private Optional<Boolean> startsSentence(PunktToken token) {
        if (token.isPunctuation()) {
            return Optional.of(false);
        }
        String type = token.typeOfFollower();
        if (token.isCapitalised()
                && parameters.wasSeen(type, PunktParameters.LOWER)
                && !parameters.wasSeen(type, PunktParameters.UPPER_INSIDE)) {
            return Optional.of(true);
        }
        if (token.isLowerCase()
                && (parameters.wasSeen(type, PunktParameters.UPPER)
                        || !parameters.wasSeen(type, PunktParameters.LOWER_FIRST))) {
            return Optional.of(false);
        }
        return Optional.empty();
    }

    /** Closing quotes and brackets go to the sentence before them. */
    private static List<Span> realigned(String text, List<Span> spans) {
        List<Span> realigned = new ArrayList<>();
        int shift = 0;
        for (int index = 0; index < spans.size(); index++) {
            Span span = new Span(
                    Math.min(spans.get(index).start() + shift, spans.get(index).end()),
                    spans.get(index).end());
            shift = 0;
            if (index + 1 < spans.size()) {
                Span next = spans.get(index + 1);
                Matcher closing = CLOSING.matcher(text.substring(next.start(), next.end()));
                if (closing.lookingAt()) {
                    int end = next.start()
                            + PythonString.stripEnd(closing.group()).length();
                    span = new Span(span.start(), end);
                    shift = closing.end();
                }
            }
            realigned.add(span);
        }
        return realigned;
    }
}
