package dev.holdfast.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ScaleTest {
    /** Of quotients and products of a few doubles. */
    private static final double ROUNDING = 1e-9;

    private static List<String> labels(Scale scale) {
        return scale.ticks().stream().map(scale::label).toList();
    }

    @Test
    void ticksAreRoundNumbersAroundAllNumbers() {
        assertThat(labels(Scale.rounded(new double[] {0.3, 1.87}))).containsExactly("0", "0.5", "1.0", "1.5", "2.0");
        assertThat(labels(Scale.rounded(new double[] {912, 941})))
                .containsExactly("910", "915", "920", "925", "930", "935", "940", "945");
        assertThat(labels(Scale.rounded(new double[] {0, 1e-5})))
                .containsExactly("0", "2e-6", "4e-6", "6e-6", "8e-6", "1e-5");
    }

    @Test
    void anExactScaleHasItsTicksWithinAndCountsInWholeNumbers() {
        assertThat(labels(Scale.exact(new double[] {1, 240}))).containsExactly("50", "100", "150", "200");
        assertThat(labels(Scale.exact(new double[] {1, 2, 3}))).containsExactly("1", "2", "3");
    }

    @Test
    void numbersThatSpanMagnitudesAreDrawnByThem() {
        assertThat(labels(Scale.ofMagnitudes(new double[] {0.004, 12})))
                .containsExactly("1e-3", "0.01", "0.1", "1", "10", "100");
        assertThat(Scale.ofMagnitudes(new double[] {0.004, 12}).position(0.1)).isCloseTo(0.4, within(ROUNDING));
        assertThat(Scale.ofMagnitudes(new double[] {0, 12}).isLogarithmic()).isFalse();
        assertThat(Scale.ofMagnitudes(new double[] {1, 12}).isLogarithmic()).isFalse();
    }

    @Test
    void withoutNumbersThereIsStillAnAxis() {
        assertThat(labels(Scale.rounded(new double[] {Double.NaN}))).isNotEmpty();
        assertThat(labels(Scale.rounded(new double[] {0, 0}))).isNotEmpty();
    }

    @Property
    void ticksAscendAreFewAndHaveNamesThatDiffer(
            @ForAll @Size(min = 1, max = 5) List<@DoubleRange(min = -1e9, max = 1e9) Double> numbers) {
        double[] values = numbers.stream().mapToDouble(Double::doubleValue).toArray();
        for (Scale scale : List.of(Scale.rounded(values), Scale.exact(values), Scale.ofMagnitudes(values))) {
            assertThat(scale.ticks()).isSorted().hasSizeLessThanOrEqualTo(8);
            assertThat(labels(scale)).doesNotHaveDuplicates();
            assertThat(scale.ticks())
                    .allSatisfy(tick -> assertThat(scale.position(tick)).isBetween(-ROUNDING, 1 + ROUNDING));
            for (double value : values) {
                assertThat(scale.position(value)).isBetween(-ROUNDING, 1 + ROUNDING);
            }
        }
    }
}
