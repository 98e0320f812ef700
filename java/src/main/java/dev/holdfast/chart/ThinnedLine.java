package dev.holdfast.chart;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A line of few enough points to draw: where there are too many, each stands for a stretch of them by its mean, with the least and the
 * greatest beside it. A stretch without a finite number is a gap.
 *
 * @param means the points of the line
 * @param lows the least of each stretch
 * @param highs the greatest of each stretch
 * @param perPoint how many points each stands for at most
 */
record ThinnedLine(List<Point> means, List<Point> lows, List<Point> highs, int perPoint) {
    static ThinnedLine of(List<Point> points, int most) {
        int perPoint = Math.max(1, (points.size() - 1) / most + 1);
        List<Point> means = new ArrayList<>();
        List<Point> lows = new ArrayList<>();
        List<Point> highs = new ArrayList<>();
        for (int start = 0; start < points.size(); start += perPoint) {
            List<Point> stretch = points.subList(start, Math.min(points.size(), start + perPoint));
            double x = stretch.get(stretch.size() - 1).x();
            double[] finite = stretch.stream()
                    .filter(Point::isFinite)
                    .mapToDouble(Point::y)
                    .toArray();
            means.add(new Point(x, Arrays.stream(finite).average().orElse(Double.NaN)));
            lows.add(new Point(x, Arrays.stream(finite).min().orElse(Double.NaN)));
            highs.add(new Point(x, Arrays.stream(finite).max().orElse(Double.NaN)));
        }
        return new ThinnedLine(means, lows, highs, perPoint);
    }

    boolean isThinned() {
        return perPoint > 1;
    }
}
