package dev.holdfast.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Optional;

/**
 * Whole numbers within bounds, both included; {@code 3.0} and {@code 1e3} are whole.
 *
 * @param low the least value
 * @param high the greatest value
 */
record IntegerType(long low, long high) implements KeyType<Long> {
    static IntegerType atLeast(long low) {
        return new IntegerType(low, Integer.MAX_VALUE);
    }

    @Override
    public Optional<Long> parse(String text) {
        return Numbers.parse(text).flatMap(IntegerType::exact).filter(this::allows);
    }

    private static Optional<Long> exact(BigDecimal number) {
        try {
            return Optional.of(number.longValueExact());
        } catch (ArithmeticException notWhole) {
            return Optional.empty();
        }
    }

    @Override
    public String format(Long value) {
        return value.toString();
    }

    @Override
    public boolean allows(Long value) {
        return value >= low && value <= high;
    }

    @Override
    public String expectation() {
        return "a whole number of at least " + low;
    }

    @Override
    public void describe(ObjectNode schema) {
        schema.put("type", "integer").put("minimum", low).put("maximum", high);
    }
}
