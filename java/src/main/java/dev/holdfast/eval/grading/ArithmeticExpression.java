package dev.holdfast.eval.grading;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An expression of whole numbers with + − × ÷ and parentheses, computed exactly.
 *
 * @param value the value
 * @param numbers the numbers, in the order of the text
 */
record ArithmeticExpression(Rational value, List<Integer> numbers) {
    /** The longest text that is read, so that a runaway response cannot nest without end. */
    private static final int LONGEST = 500;

    private static final String PLUS = "+";
    private static final String MINUS = "-\u2212\u2013";
    private static final String TIMES = "*\u00d7\u00b7\u22c5";
    private static final String DIVIDE = "/\u00f7";
    private static final int LONGEST_NUMBER = 9;

    /** Reads an expression; nothing if the text is none, is too long, or divides by zero. */
    static Optional<ArithmeticExpression> of(String text) {
        String compact = text.replaceAll("\\s", "");
        if (compact.length() > LONGEST || text.matches("(?s).*\\d\\s+\\d.*")) {
            return Optional.empty();
        }
        Parser parser = new Parser(compact);
        try {
            Rational value = parser.sum();
            parser.requireEnd();
            return Optional.of(new ArithmeticExpression(value, List.copyOf(parser.numbers)));
        } catch (ArithmeticException malformed) {
            return Optional.empty();
        }
    }

    private static final class Parser {
        private final String text;
        private final List<Integer> numbers = new ArrayList<>();
        private int place;

        Parser(String text) {
            this.text = text;
        }

        Rational sum() {
            Rational value = product();
            while (true) {
                if (take(PLUS)) {
                    value = value.plus(product());
                } else if (take(MINUS)) {
                    value = value.minus(product());
                } else {
                    return value;
                }
            }
        }

        private Rational product() {
            Rational value = operand();
            while (true) {
                if (take(TIMES)) {
                    value = value.times(operand());
                } else if (take(DIVIDE)) {
                    value = value.dividedBy(operand());
                } else {
                    return value;
                }
            }
        }

        private Rational operand() {
            if (!take("(")) {
                return number();
            }
            Rational value = sum();
            if (!take(")")) {
                throw new ArithmeticException("expected )");
            }
            return value;
        }

        private Rational number() {
            int end = place;
            while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
                end++;
            }
            if (end == place || end - place > LONGEST_NUMBER) {
                throw new ArithmeticException("expected a number");
            }
            numbers.add(Integer.parseInt(text.substring(place, end)));
            place = end;
            return Rational.of(numbers.get(numbers.size() - 1));
        }

        private boolean take(String characters) {
            boolean found = place < text.length() && characters.indexOf(text.charAt(place)) >= 0;
            place += found ? 1 : 0;
            return found;
        }

        void requireEnd() {
            if (place < text.length()) {
                throw new ArithmeticException("expected the end");
            }
        }
    }
}
