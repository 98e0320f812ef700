package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TallyTest {
    /** Of the published figures, which have three digits. */
    private static final double PRINTED = 5e-4;

    /** Of sums and roots of doubles near 1. */
    private static final double ROUNDING = 1e-12;

    @Test
    void theIntervalIsWilsons() {
        // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        requireInterval(new Tally(81, 263), 0.2553, 0.3662);
        requireInterval(new Tally(15, 148), 0.0624, 0.1605);
        requireInterval(new Tally(0, 20), 0, 0.1611);
        requireInterval(new Tally(1, 29), 0.0061, 0.1718);
    }

    private static void requireInterval(Tally tally, double low, double high) {
        assertThat(tally.low()).isCloseTo(low, within(PRINTED));
        assertThat(tally.high()).isCloseTo(high, within(PRINTED));
    }

    @Property
    void endsSolveTheEquationOfTheInterval(
            @ForAll @IntRange(max = 500) int first, @ForAll @IntRange(max = 500) int second) {
        Tally tally = new Tally(Math.min(first, second), Math.max(first, second) + 1L);
        for (double end : new double[] {tally.low(), tally.high()}) {
            double distance = end - tally.share();
            double squared = 1.959963984540054 * 1.959963984540054 * end * (1 - end) / tally.total();
            assertThat(distance * distance).isCloseTo(squared, within(ROUNDING));
        }
        assertThat(tally.share()).isBetween(tally.low() - ROUNDING, tally.high() + ROUNDING);
    }

    @Test
    void talliesAddUp() {
        assertThat(Tally.of(List.of(true, false, true)).plus(Tally.of(true))).isEqualTo(new Tally(3, 4));
        assertThat(new Tally(0, 0).low()).isZero();
        assertThat(new Tally(0, 0).high()).isEqualTo(1);
        assertThatThrownBy(() -> new Tally(2, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
