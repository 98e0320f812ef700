package dev.holdfast.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.chart.LineChart.Style;
import dev.holdfast.testing.Markup;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ChartsTest {
    private static final String HOSTILE = "</svg><script>&\"'\u0000\u0007";

    private static List<Point> points(double... numbers) {
        return IntStream.range(0, numbers.length)
                .mapToObj(i -> new Point(i, numbers[i]))
                .toList();
    }

    @Test
    void whatIsMissingIsAGap() {
        LineChart chart = new LineChart("loss", "step", "nats").add("a", Style.PLAIN, points(3, 2, Double.NaN, 1, 2));
        String path = Markup.of(chart.svg()).attribute("path", "line", "d");
        assertThat(path.chars().filter(c -> c == 'M')).hasSize(2);
        assertThat(path.chars().filter(c -> c == 'L')).hasSize(2);
    }

    @Test
    void aNumberBetweenGapsIsADot() {
        LineChart chart =
                new LineChart("loss", "step", "nats").add("a", Style.PLAIN, points(3, 2, Double.NaN, 1, Double.NaN));
        assertThat(Markup.of(chart.svg()).count("circle")).isEqualTo(1);
    }

    @Test
    void aLineWithoutNumbersIsLeftOut() {
        LineChart chart = new LineChart("loss", "step", "nats").add("a", Style.PLAIN, points(Double.NaN));
        assertThat(chart.isEmpty()).isTrue();
    }

    @Test
    void pointingAtAPlaceTellsTheNumberOfEachLine() {
        LineChart chart = new LineChart("loss", "step", "nats")
                .add("training", Style.PLAIN, points(3, 2, 1))
                .add("held-out", Style.DOTTED, List.of(new Point(2, 1.5)));
        assertThat(Markup.of(chart.svg()).text("title")).contains("step 2.000\ntraining: 1.000\nheld-out: 1.500");
    }

    @Test
    void aVeryLongLineIsThinnedWithinItsBounds() {
        double[] numbers =
                IntStream.range(0, 100_000).mapToDouble(i -> Math.sin(i)).toArray();
        numbers[54_321] = 1000;
        LineChart chart = new LineChart("loss", "step", "nats").add("a", Style.PLAIN, points(numbers));
        assertThat(chart.svg()).hasSizeLessThan(60_000);
        assertThat(Markup.of(chart.svg()).text("text"))
                .as("the axis reaches the outlier")
                .contains("1,000");
    }

    @Property
    void aThinnedLineKeepsTheLeastAndTheGreatest(
            @ForAll @Size(min = 1, max = 50) List<@IntRange(min = -9, max = 9) Integer> numbers,
            @ForAll @IntRange(min = 1, max = 60) int most) {
        List<Point> points = points(numbers.stream().mapToDouble(n -> n).toArray());
        ThinnedLine line = ThinnedLine.of(points, most);
        assertThat(line.means()).hasSizeLessThanOrEqualTo(most);
        assertThat(line.lows().stream().mapToDouble(Point::y).min())
                .hasValue(numbers.stream().mapToInt(n -> n).min().orElseThrow());
        assertThat(line.highs().stream().mapToDouble(Point::y).max())
                .hasValue(numbers.stream().mapToInt(n -> n).max().orElseThrow());
        assertThat(line.means().get(line.means().size() - 1).x()).isEqualTo(numbers.size() - 1);
    }

    @Test
    void namesMayHoldAnything() {
        BarChart bars = new BarChart(HOSTILE, HOSTILE);
        bars.add(HOSTILE, List.of(new BarChart.Bar(HOSTILE, 1, HOSTILE, true)));
        String lines = new LineChart(HOSTILE, HOSTILE, HOSTILE)
                .add(HOSTILE, Style.DASHED, points(1, 2))
                .add(HOSTILE, Style.PLAIN, points(2))
                .mark(1, HOSTILE)
                .svg();
        String scatter = new ScatterChart(HOSTILE, HOSTILE, HOSTILE)
                .add(new ScatterChart.Entry(HOSTILE, HOSTILE, 0, 0, 1, 1))
                .svg();
        for (String svg : List.of(bars.svg(), lines, scatter)) {
            assertThat(Markup.of(svg).count("script")).isZero();
        }
    }

    @Test
    void barsAreAsLongAsTheirNumbers() {
        BarChart bars = new BarChart("time", "seconds");
        bars.add("", List.of(new BarChart.Bar("a", 4, "4", true), new BarChart.Bar("b", 1, "1", false)));
        Markup picture = Markup.of(bars.svg());
        double longest = Double.parseDouble(picture.attribute("rect", "f0", "width"));
        assertThat(Double.parseDouble(picture.attribute("rect", "f5", "width")))
                // widths are written with one decimal
                .isCloseTo(longest / 4, within(0.1));
    }

    @Property
    void theParetoFrontHoldsExactlyWhatNoOtherBeats(
            @ForAll @Size(min = 1, max = 12) List<@Size(2) List<@IntRange(max = 4) Integer>> places) {
        ScatterChart chart = new ScatterChart("", "", "");
        List<ScatterChart.Entry> all = places.stream()
                .map(place -> new ScatterChart.Entry("", "", place.get(0), place.get(1), 0, 0))
                .toList();
        all.forEach(chart::add);
        for (ScatterChart.Entry entry : all) {
            boolean beaten = all.stream()
                    .anyMatch(other -> other.x() <= entry.x()
                            && other.y() >= entry.y()
                            && (other.x() < entry.x() || other.y() > entry.y()));
            assertThat(chart.front().contains(entry)).isEqualTo(!beaten);
        }
    }
}
