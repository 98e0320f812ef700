package dev.holdfast.bench;

import dev.holdfast.runtime.ProcessMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.IntConsumer;
import java.util.function.IntToDoubleFunction;

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
     * @param milliseconds runs and says how long it took; is given the number of the run, 0 for the one that does not count
     */
    static Timing of(int most, double mostSeconds, IntConsumer prepare, IntToDoubleFunction milliseconds) {
        Long peak = peakBytes(milliseconds);
        List<Double> millis = new ArrayList<>();
        long begun = System.nanoTime();
        for (int number = 1; number <= most; number++) {
            if (number > LEAST_RUNS && (System.nanoTime() - begun) / 1e9 > mostSeconds) {
                break;
            }
            prepare.accept(number);
            millis.add(milliseconds.applyAsDouble(number));
        }
        return new Timing(Median.of(millis), spread(millis), peak);
    }

    /** What a piece of work takes by this machine's clock. */
    static double milliseconds(Runnable work) {
        long started = System.nanoTime();
        work.run();
        return (System.nanoTime() - started) / NANOS_PER_MILLI;
    }

    private static Long peakBytes(IntToDoubleFunction run) {
        OptionalLong before = ProcessMemory.restartPeak();
        run.applyAsDouble(0);
        return before.isPresent() ? Math.max(0, ProcessMemory.peakBytes() - before.getAsLong()) : null;
    }

    private static double spread(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[3 * (sorted.length - 1) / 4] - sorted[(sorted.length - 1) / 4];
    }
}
