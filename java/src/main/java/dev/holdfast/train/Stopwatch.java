package dev.holdfast.train;

import java.util.EnumMap;
import java.util.Map;

/** What the time of a session goes into; between the others it is training. Thread safety: none. */
final class Stopwatch {
    /** What a run does. */
    enum Activity {
        LOADING,
        TRAINING,
        EVALUATION,
        DRIFT,
        CHECKPOINTS
    }

    private final Map<Activity, Long> nanos = new EnumMap<>(Activity.class);
    private Activity current = Activity.LOADING;
    private long since = System.nanoTime();

    /** Does work whose time goes into an activity. */
    void time(Activity activity, Runnable work) {
        Activity before = current;
        turnTo(activity);
        try {
            work.run();
        } finally {
            turnTo(before);
        }
    }

    /** From here on time goes into an activity. */
    void turnTo(Activity activity) {
        long now = System.nanoTime();
        nanos.merge(current, now - since, Long::sum);
        current = activity;
        since = now;
    }

    /** What was measured since the last call. */
    TimingEntry take(int step) {
        turnTo(current);
        TimingEntry entry = new TimingEntry(
                step,
                seconds(Activity.LOADING),
                seconds(Activity.TRAINING),
                seconds(Activity.EVALUATION),
                seconds(Activity.DRIFT),
                seconds(Activity.CHECKPOINTS));
        nanos.clear();
        return entry;
    }

    private double seconds(Activity activity) {
        return nanos.getOrDefault(activity, 0L) / 1e9;
    }
}
