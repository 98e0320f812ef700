package dev.holdfast.config;

import java.math.BigDecimal;
import java.util.Optional;

/** Numbers in text, as people write them: {@code 1e-5}, {@code 1.0e-05}, {@code .5}, {@code 3}. */
final class Numbers {
    /** More characters than any sensible number has; beyond them exact arithmetic would only burn time. */
    private static final int MAXIMUM_LENGTH = 64;

    /** Decimal exponents beyond those of a double. */
    private static final int MAXIMUM_EXPONENT = 400;

    private Numbers() {}

    static Optional<BigDecimal> parse(String text) {
        String number = text.strip();
        if (number.length() > MAXIMUM_LENGTH) {
            return Optional.empty();
        }
        try {
            BigDecimal value = new BigDecimal(number);
            return Math.abs((long) value.scale()) > MAXIMUM_EXPONENT ? Optional.empty() : Optional.of(value);
        } catch (NumberFormatException notANumber) {
            return Optional.empty();
        }
    }

    /** A bound as a person would write it: without a fraction where it has none. */
    static String plain(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
