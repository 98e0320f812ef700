package dev.holdfast.chart;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Where numbers stand along an axis, and which of them it names: round ones, few enough to read. */
final class Scale {
    /** A span of so many times its least number is drawn by orders of magnitude. */
    private static final double LOGARITHMIC_SPAN = 100;

    /** Numbers below and from these on are written with an exponent. */
    private static final double SMALL = 1e-2;

    private static final double LARGE = 1e6;

    private static final int MOST_TICKS = 6;

    /** What quotients and logarithms of numbers that should be whole may miss. */
    private static final double ROUNDING = 1e-9;

    private final double low;
    private final double high;
    private final boolean logarithmic;
    private final List<Double> ticks;

    private Scale(double low, double high, boolean logarithmic, List<Double> ticks) {
        this.low = low;
        this.high = high;
        this.logarithmic = logarithmic;
        this.ticks = List.copyOf(ticks);
    }

    /** A scale from the least number to the greatest; ticks are within, and whole where the numbers are. */
    static Scale exact(double[] numbers) {
        double[] span = span(numbers);
        double step = step(span[0], span[1]);
        boolean counts = Arrays.stream(numbers).allMatch(number -> number == Math.rint(number));
        return new Scale(span[0], span[1], false, multiples(span[0], span[1], counts ? Math.max(1, step) : step));
    }

    /** A scale from tick to tick around all numbers. */
    static Scale rounded(double[] numbers) {
        double[] span = span(numbers);
        // Lengths are compared from 0, unless that would leave most of the axis empty.
        boolean nearZero = span[0] > 0 && span[0] <= span[1] / 2;
        return linear(nearZero ? 0 : span[0], span[1]);
    }

    /** A scale from tick to tick around all numbers, by orders of magnitude where they span some and none is 0 or less. */
    static Scale ofMagnitudes(double[] numbers) {
        double[] span = span(numbers);
        return span[0] > 0 && span[1] / span[0] >= LOGARITHMIC_SPAN ? logarithmic(span[0], span[1]) : rounded(numbers);
    }

    private static Scale linear(double low, double high) {
        double step = step(low, high);
        double first = Math.floor(low / step + ROUNDING) * step;
        double last = Math.ceil(high / step - ROUNDING) * step;
        return new Scale(first, last, false, multiples(first, last, step));
    }

    private static Scale logarithmic(double low, double high) {
        int first = (int) Math.floor(Math.log10(low));
        int last = (int) Math.ceil(Math.log10(high));
        int every = (last - first - 1) / MOST_TICKS + 1;
        List<Double> powers = new ArrayList<>();
        for (int power = first; power <= last; power += every) {
            powers.add(power(power));
        }
        return new Scale(power(first), power(last), true, powers);
    }

    /** A negative power of 10 divides by an exact one, which gives the number that its text stands for. */
    private static double power(int exponent) {
        return exponent < 0 ? 1 / Math.pow(10, -exponent) : Math.pow(10, exponent);
    }

    /** Least and greatest of the finite numbers, apart even where they are one. */
    private static double[] span(double[] numbers) {
        double[] finite = Arrays.stream(numbers).filter(Double::isFinite).toArray();
        double low = Arrays.stream(finite).min().orElse(0);
        double high = Arrays.stream(finite).max().orElse(1);
        double apart = low == high ? Math.abs(low) / 2 : 0;
        return low == 0 && high == 0 ? new double[] {0, 1} : new double[] {low - apart, high + apart};
    }

    /** 1, 2 or 5 times a power of 10. */
    private static double step(double low, double high) {
        double least = (high - low) / MOST_TICKS;
        int exponent = (int) Math.floor(Math.log10(least));
        for (int factor : new int[] {1, 2, 5}) {
            double step = exponent < 0 ? factor / Math.pow(10, -exponent) : factor * Math.pow(10, exponent);
            if (step >= least) {
                return step;
            }
        }
        return power(exponent + 1);
    }

    private static List<Double> multiples(double low, double high, double step) {
        List<Double> multiples = new ArrayList<>();
        double end = high / step + ROUNDING;
        for (double n = Math.ceil(low / step - ROUNDING); n <= end; n++) {
            multiples.add(n * step);
        }
        return multiples;
    }

    /** Where a number stands, from 0 at the low end to 1 at the high end. */
    double position(double number) {
        return logarithmic ? Math.log(number / low) / Math.log(high / low) : (number - low) / (high - low);
    }

    /** The numbers that are named. */
    List<Double> ticks() {
        return ticks;
    }

    /** Whether equal distances are equal quotients. */
    boolean isLogarithmic() {
        return logarithmic;
    }

    /** The name of a tick, as precise as the distance to the next one needs. */
    String label(double tick) {
        if (tick == 0) {
            return "0";
        }
        double greatest = Math.max(Math.abs(low), Math.abs(high));
        double told = logarithmic ? Math.abs(tick) : greatest;
        int digit = exponent(logarithmic || ticks.size() < 2 ? tick : ticks.get(1) - ticks.get(0));
        return told < SMALL || told >= LARGE ? withExponent(tick, digit) : plain(tick, digit);
    }

    private static String plain(double tick, int lastDigit) {
        return String.format(Locale.ROOT, "%,." + Math.max(0, -lastDigit) + "f", tick);
    }

    private static String withExponent(double tick, int lastDigit) {
        int decimals = Math.max(0, exponent(tick) - lastDigit);
        String[] parts = String.format(Locale.ROOT, "%." + decimals + "e", tick).split("e");
        return parts[0].replaceFirst("\\.0+$", "") + "e" + Integer.parseInt(parts[1]);
    }

    /** The power of 10 of a number's first digit; what is less than one by a rounding is one. */
    private static int exponent(double number) {
        return (int) Math.floor(Math.log10(Math.abs(number)) + ROUNDING);
    }
}
