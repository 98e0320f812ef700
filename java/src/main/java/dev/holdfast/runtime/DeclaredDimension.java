package dev.holdfast.runtime;

/**
 * One dimension of a declared input or output: a fixed size, a named one, or an unknown one.
 *
 * @param size the size, or -1 where it is not fixed
 * @param symbol the name that equal dimensions share, or an empty string
 */
public record DeclaredDimension(long size, String symbol) {
    /** A dimension of a fixed size. */
    public static DeclaredDimension fixed(long size) {
        return new DeclaredDimension(size, "");
    }

    /** A dimension whose size the data decides; an empty name means unknown. */
    public static DeclaredDimension named(String symbol) {
        return new DeclaredDimension(-1, symbol);
    }

    /** Whether every tensor must have the same size here. */
    public boolean isFixed() {
        return size >= 0;
    }

    @Override
    public String toString() {
        return isFixed() ? Long.toString(size) : symbol.isEmpty() ? "?" : symbol;
    }
}
