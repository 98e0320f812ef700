package dev.holdfast.eval.grading;

/**
 * How many of some trials passed.
 *
 * @param passed trials that passed
 * @param total trials
 */
public record Tally(long passed, long total) {
    /** The quantile of the normal distribution that leaves 2.5 % on either side. */
    private static final double Z = 1.959963984540054;

    public Tally {
        if (passed < 0 || passed > total) {
            throw new IllegalArgumentException("tally: expected 0 ≤ passed ≤ total, got " + passed + " of " + total);
        }
    }

    /** A single trial. */
    public static Tally of(boolean passed) {
        return new Tally(passed ? 1 : 0, 1);
    }

    /** A trial for each of some marks. */
    public static Tally of(Iterable<Boolean> marks) {
        Tally sum = new Tally(0, 0);
        for (boolean passed : marks) {
            sum = sum.plus(of(passed));
        }
        return sum;
    }

    /** The trials of both. */
    public Tally plus(Tally other) {
        return new Tally(passed + other.passed, total + other.total);
    }

    /** The share that passed, in [0, 1]; NaN without trials. */
    public double share() {
        return (double) passed / total;
    }

    /** The lower end of Wilson's interval of 95 % for the share. Source: Wilson (1927), doi:10.1080/01621459.1927.10502953. */
    public double low() {
        return total == 0 ? 0 : Math.max(0, centre() - halfWidth());
    }

    /** The upper end of Wilson's interval of 95 % for the share. */
    public double high() {
        return total == 0 ? 1 : Math.min(1, centre() + halfWidth());
    }

    private double centre() {
        return (share() + Z * Z / (2 * total)) / (1 + Z * Z / total);
    }

    private double halfWidth() {
        double variance = share() * (1 - share()) / total + Z * Z / (4.0 * total * total);
        return Z / (1 + Z * Z / total) * Math.sqrt(variance);
    }
}
