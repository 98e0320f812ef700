package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Optional;

/**
 * Finite numbers within bounds.
 *
 * @param low the lower bound
 * @param lowAllowed whether the lower bound itself is allowed
 * @param high the upper bound; infinite where there is none
 * @param highAllowed whether the upper bound itself is allowed
 */
record DecimalType(double low, boolean lowAllowed, double high, boolean highAllowed) implements KeyType<Double> {
    static DecimalType between(double low, double high) {
        return new DecimalType(low, true, high, true);
    }

    static DecimalType atLeast(double low) {
        return new DecimalType(low, true, Double.POSITIVE_INFINITY, false);
    }

    static DecimalType above(double low) {
        return new DecimalType(low, false, Double.POSITIVE_INFINITY, false);
    }

    static DecimalType fromButBelow(double low, double high) {
        return new DecimalType(low, true, high, false);
    }

    static DecimalType inside(double low, double high) {
        return new DecimalType(low, false, high, false);
    }

    @Override
    public Optional<Double> parse(String text) {
        return Numbers.parse(text).map(Number::doubleValue).filter(this::allows);
    }

    @Override
    public String format(Double value) {
        return value.toString().toLowerCase(Locale.ROOT);
    }

    @Override
    public boolean allows(Double value) {
        return Double.isFinite(value)
                && (lowAllowed ? value >= low : value > low)
                && (highAllowed ? value <= high : value < high);
    }

    @Override
    public String expectation() {
        String lower = Numbers.plain(low);
        if (Double.isInfinite(high)) {
            return (lowAllowed ? "a number of at least " : "a number above ") + lower;
        }
        String upper = Numbers.plain(high);
        if (lowAllowed) {
            return "a number from " + lower + (highAllowed ? " to " : " to below ") + upper;
        }
        return "a number between " + lower + " and " + upper + " (neither included)";
    }

    @Override
    public void describe(ObjectNode schema) {
        schema.put("type", "number").put(lowAllowed ? "minimum" : "exclusiveMinimum", low);
        if (Double.isFinite(high)) {
            schema.put(highAllowed ? "maximum" : "exclusiveMaximum", high);
        }
    }
}
