package dev.holdfast.bench;

import dev.holdfast.runtime.ProcessMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.IntConsumer;

/**
 * What repeated runs took.
 *
 * @param spreadMillis between the first and the third quartile
 * @param peakBytes the most bytes resident during a run beyond those before it; null where the system does not tell
 */
record Timing(double medianMillis, double spreadMillis, Long peakBytes) {
    private static final int LEAST_RUNS = 5;
    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * Runs once for the memory, then for the time.
     *
     * @param most runs that count
     * @param mostSeconds after which no further run begins, once there are a few
     * @param prepare what is done before a run and does not count; it is given the number of the run, from 1
     * @param run is given its number, 0 for the one that does not count
     */
    static Timing of(int most, double mostSeconds, IntConsumer prepare, IntConsumer run) {
        Long peak = peakBytes(run);
        List<Double> millis = new ArrayList<>();
        long begun = System.nanoTime();
        for (int number = 1; number <= most; number++) {
            if (number > LEAST_RUNS && (System.nanoTime() - begun) / 1e9 > mostSeconds) {
                break;
            }
            prepare.accept(number);
            long started = System.nanoTime();
            run.accept(number);
            millis.add((System.nanoTime() - started) / NANOS_PER_MILLI);
        }
        return new Timing(Median.of(millis), spread(millis), peak);
    }

    private static Long peakBytes(IntConsumer run) {
        OptionalLong before = ProcessMemory.restartPeak();
        run.accept(0);
        return before.isPresent() ? Math.max(0, ProcessMemory.peakBytes() - before.getAsLong()) : null;
    }

    private static double spread(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[3 * (sorted.length - 1) / 4] - sorted[(sorted.length - 1) / 4];
    }
}
