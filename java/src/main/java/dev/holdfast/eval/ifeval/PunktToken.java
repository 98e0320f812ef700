package dev.holdfast.eval.ifeval;

import java.util.regex.Pattern;

/** A word of a text, with its period, and what is known of it. Its type is the word in lower case, or a mark for any number. */
final class PunktToken {
    private static final String NUMBER = "##number##";
    private static final Pattern NUMERIC = PythonString.pattern("-?[.,]?\\d[\\d,.-]*\\.?");
    private static final Pattern ELLIPSIS = Pattern.compile("\\.{2,}");
    private static final Pattern INITIAL = PythonString.pattern("[\\w&&[^\\d]]\\.");

    private final String text;
    private final String type;
    private boolean abbreviation;
    private boolean endsSentence;

    PunktToken(String text) {
        this.text = text;
        String lower = PythonString.lower(text);
        this.type = NUMERIC.matcher(lower).matches() ? NUMBER : lower;
    }

    /** Marks by the word alone. */
    void annotate(PunktParameters parameters) {
        if (text.equals(".") || text.equals("?") || text.equals("!")) {
            endsSentence = true;
        } else if (endsInPeriod() && !text.endsWith("..")) {
            abbreviation = parameters.isAbbreviation(PythonString.lower(text.substring(0, text.length() - 1)));
            endsSentence = !abbreviation;
        }
    }

    void markAsAbbreviationWithin() {
        abbreviation = true;
        endsSentence = false;
    }

    void markAsEnd() {
        endsSentence = true;
    }

    boolean endsSentence() {
        return endsSentence;
    }

    boolean isAbbreviationOrEllipsis() {
        return abbreviation || ELLIPSIS.matcher(text).matches();
    }

    boolean endsInPeriod() {
        return text.endsWith(".");
    }

    boolean isInitial() {
        return INITIAL.matcher(text).matches();
    }

    boolean isNumber() {
        return typeWithoutPeriod().equals(NUMBER);
    }

    boolean isPunctuation() {
        return text.length() == 1 && ";:,.!?".contains(text);
    }

    boolean isCapitalised() {
        return Character.isUpperCase(text.codePointAt(0));
    }

    boolean isLowerCase() {
        return Character.isLowerCase(text.codePointAt(0));
    }

    String typeWithoutPeriod() {
        return type.length() > 1 && type.endsWith(".") ? type.substring(0, type.length() - 1) : type;
    }

    /** The type as a word that follows another is looked up. */
    String typeOfFollower() {
        return endsSentence ? typeWithoutPeriod() : type;
    }
}
