package dev.holdfast.report;

import java.util.Locale;

/** Numbers as a reader wants them told. */
final class Texts {
    private static final int MINUTE = 60;
    private static final int HOUR = 3600;

    private Texts() {}

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    /** Such as {@code 3.2 s}, {@code 4:05 min} or {@code 1:37:20 h}. */
    static String duration(double seconds) {
        if (seconds < MINUTE) {
            return format("%.1f s", seconds);
        }
        long whole = Math.round(seconds);
        return whole < HOUR
                ? format("%d:%02d min", whole / MINUTE, whole % MINUTE)
                : format("%d:%02d:%02d h", whole / HOUR, whole % HOUR / MINUTE, whole % MINUTE);
    }

    static String percent(double share) {
        return number("%.1f %%", 100 * share);
    }

    /** Nats to four decimals. */
    static String nats(double value) {
        return number("%.4f", value);
    }

    /** A number by a pattern; a dash for what was not measured. */
    static String number(String pattern, double value) {
        return Double.isFinite(value) ? format(pattern, value) : "–";
    }

    static String bytes(double count) {
        return format("%.2f GiB", count / (1L << 30));
    }
}
