package dev.holdfast.eval.grading;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** When the answer of a medical calculator counts as right, by what the calculator yields. */
public enum MedCalcRule {
    /** A date: the same day. */
    DATE("date") {
        @Override
        boolean accepts(String answer, String lower, String upper) {
            Optional<LocalDate> date = date(answer);
            return date.isPresent() && date.equals(date(lower));
        }

        @Override
        boolean isBound(String bound) {
            return date(bound).isPresent();
        }
    },
    /** A time of pregnancy: the same weeks and the same days. */
    WEEKS_AND_DAYS("weeks_and_days") {
        @Override
        boolean accepts(String answer, String lower, String upper) {
            Optional<String> time = weeksAndDays(answer);
            return time.isPresent() && time.equals(weeksAndDays(lower));
        }

        @Override
        boolean isBound(String bound) {
            return weeksAndDays(bound).isPresent();
        }
    },
    /** A sum of points: the same whole number when rounded, halves to the even one. */
    SCORE("score") {
        @Override
        boolean accepts(String answer, String lower, String upper) {
            return number(answer)
                    .map(value -> value.setScale(0, RoundingMode.HALF_EVEN).compareTo(new BigDecimal(lower)) == 0)
                    .orElse(false);
        }

        @Override
        boolean isBound(String bound) {
            return bound.matches("-?\\d{1,18}");
        }
    },
    /** A quantity: a number within the bounds, which are 5 % of the value away. */
    VALUE("value") {
        @Override
        boolean accepts(String answer, String lower, String upper) {
            return number(answer)
                    .map(value ->
                            value.compareTo(new BigDecimal(lower)) >= 0 && value.compareTo(new BigDecimal(upper)) <= 0)
                    .orElse(false);
        }

        @Override
        boolean isBound(String bound) {
            return bound.matches("-?\\d{1,30}(\\.\\d{1,30})?");
        }
    };

    private static final Pattern DATE_PATTERN = Pattern.compile("(?<!\\d)(\\d{1,2})/(\\d{1,2})/(\\d{4})(?!\\d)");
    private static final Pattern TIME_PATTERN = Pattern.compile(
            "(?<!\\d)(\\d{1,3})\\s*weeks?\\W{1,10}(?:and\\s+)?(\\d{1,2})\\s*days?", Pattern.CASE_INSENSITIVE);
    private static final Pattern NUMBER_PATTERN = Pattern.compile(
            "-?(?:\\d{1,3}(?:,\\d{3}){1,9}|\\d{1,30})(?:\\.\\d{1,30})?(?:[eE][-+]?\\d{1,2})?|-?\\.\\d{1,30}");

    private final String id;

    MedCalcRule(String id) {
        this.id = id;
    }

    /** The name in scorecards. */
    public String id() {
        return id;
    }

    /**
     * Whether an answer is right.
     *
     * @param answer the answer alone, without the reasoning
     * @param lower the least right answer, in the form of {@link #isBound}
     * @param upper the greatest right answer
     */
    abstract boolean accepts(String answer, String lower, String upper);

    /** Whether a text is a bound of this kind. */
    abstract boolean isBound(String bound);

    /** The rule that bounds are of; those that are equal whole numbers may be of a score as well as of a quantity. */
    public static Optional<MedCalcRule> of(String lower, String upper) {
        for (MedCalcRule rule : values()) {
            boolean fits = rule.isBound(lower) && rule.isBound(upper);
            if (fits && (rule == VALUE || lower.equals(upper))) {
                return Optional.of(rule);
            }
        }
        return Optional.empty();
    }

    private static Optional<LocalDate> date(String text) {
        Matcher matcher = DATE_PATTERN.matcher(text);
        if (!matcher.find()) {
            return Optional.empty();
        }
        int month = Integer.parseInt(matcher.group(1));
        int day = Integer.parseInt(matcher.group(2));
        int year = Integer.parseInt(matcher.group(3));
        boolean exists = year > 0
                && month >= 1
                && month <= 12
                && day >= 1
                && day <= LocalDate.of(year, month, 1).lengthOfMonth();
        return exists ? Optional.of(LocalDate.of(year, month, day)) : Optional.empty();
    }

    private static Optional<String> weeksAndDays(String text) {
        Matcher matcher = TIME_PATTERN.matcher(text);
        return matcher.find()
                ? Optional.of(Integer.parseInt(matcher.group(1)) + " " + Integer.parseInt(matcher.group(2)))
                : Optional.empty();
    }

    /** The first number of a text. */
    private static Optional<BigDecimal> number(String text) {
        Matcher matcher = NUMBER_PATTERN.matcher(text);
        return matcher.find() ? Optional.of(new BigDecimal(matcher.group().replace(",", ""))) : Optional.empty();
    }
}
