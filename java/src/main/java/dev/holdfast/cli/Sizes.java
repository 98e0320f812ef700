package dev.holdfast.cli;

import java.util.Locale;

/** Sizes as people read them. */
final class Sizes {
    private static final double MEBIBYTE = 1L << 20;
    private static final double GIBIBYTE = 1L << 30;
    private static final long MILLION = 1_000_000;

    private Sizes() {}

    /** Bytes in GiB, or in MiB where there is less than one. */
    static String bytes(long bytes) {
        return bytes < GIBIBYTE
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / MEBIBYTE)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / GIBIBYTE);
    }

    /** Parameters in millions, or counted where there are fewer. */
    static String parameters(long count) {
        return count < MILLION
                ? String.format(Locale.ROOT, "%,d parameters", count)
                : String.format(Locale.ROOT, "%,.1f M parameters", count / (double) MILLION);
    }
}
