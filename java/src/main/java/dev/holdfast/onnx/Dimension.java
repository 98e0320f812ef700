package dev.holdfast.onnx;

import java.util.ArrayList;
import java.util.List;

/**
 * One dimension of a tensor type: a number known when the graph is built, a product of such a number and named symbols that are
 * known when it runs, or unknown.
 *
 * <p>Equal symbols mean equal sizes; ONNX Runtime reuses a buffer only where it can see that sizes are equal, so products are kept
 * in one canonical spelling (factor first, symbols sorted): {@code 9*B*T}.
 *
 * @param factor the known part; -1 if the dimension is unknown
 * @param symbols the sorted names of the parts known at run time; empty for a fixed dimension
 */
public record Dimension(long factor, List<String> symbols) {
    /** A dimension of which nothing is known. */
    public static final Dimension UNKNOWN = new Dimension(-1, List.of());

    public Dimension {
        symbols = List.copyOf(symbols);
    }

    /** A fixed size. */
    public static Dimension of(long size) {
        return new Dimension(size, List.of());
    }

    /** A size known at run time, for example {@code B} for the batch, or a product such as {@code 9*B*T}. */
    public static Dimension of(String symbol) {
        long factor = 1;
        List<String> symbols = new ArrayList<>();
        for (String part : symbol.split("\\*")) {
            if (!part.isEmpty() && part.chars().allMatch(Character::isDigit)) {
                factor *= Long.parseLong(part);
            } else {
                symbols.add(part);
            }
        }
        return new Dimension(factor, symbols.stream().sorted().toList());
    }

    /** Whether the size is a number. */
    public boolean isFixed() {
        return factor >= 0 && symbols.isEmpty();
    }

    /** Whether nothing is known about the size. */
    public boolean isUnknown() {
        return factor < 0;
    }

    /**
     * The size of a fixed dimension.
     *
     * @throws IllegalStateException if it is not fixed
     */
    public long size() {
        if (!isFixed()) {
            throw new IllegalStateException("dimension: expected a fixed size, got " + this);
        }
        return factor;
    }

    /** The product of two dimensions. */
    public Dimension times(Dimension other) {
        if (isUnknown() || other.isUnknown()) {
            return UNKNOWN;
        }
        List<String> product = new ArrayList<>(symbols);
        product.addAll(other.symbols);
        return new Dimension(factor * other.factor, product.stream().sorted().toList());
    }

    /** The sum of two dimensions; {@link #UNKNOWN} where it is not a product. */
    public Dimension plus(Dimension other) {
        boolean product = !isUnknown() && !other.isUnknown() && symbols.equals(other.symbols);
        return product ? new Dimension(factor + other.factor, symbols) : UNKNOWN;
    }

    /** The quotient of two dimensions; {@link #UNKNOWN} where it is not a whole product. */
    public Dimension dividedBy(Dimension divisor) {
        List<String> quotient = new ArrayList<>(symbols);
        for (String symbol : divisor.symbols) {
            if (!quotient.remove(symbol)) {
                return UNKNOWN;
            }
        }
        boolean whole = !isUnknown() && divisor.factor > 0 && factor % divisor.factor == 0;
        return whole ? new Dimension(factor / divisor.factor, quotient) : UNKNOWN;
    }

    /** For example {@code 64}, {@code B*T} or {@code ?}. */
    @Override
    public String toString() {
        if (isUnknown()) {
            return "?";
        }
        if (symbols.isEmpty()) {
            return Long.toString(factor);
        }
        return (factor == 1 ? "" : factor + "*") + String.join("*", symbols);
    }
}
