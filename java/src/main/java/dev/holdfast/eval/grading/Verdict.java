package dev.holdfast.eval.grading;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a grader makes of a response.
 *
 * @param tallies the metrics that the response counts for, by name, the main one first
 * @param fields what a reader of the graded responses sees, by name, in order: texts, numbers, booleans, lists
 */
public record Verdict(Map<String, Tally> tallies, Map<String, Object> fields) {
    /** The main metric of most suites. */
    public static final String CORRECT = "correct";

    public Verdict {
        tallies = Collections.unmodifiableMap(new LinkedHashMap<>(tallies));
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** Right or wrong. */
    public static Verdict of(boolean correct) {
        return new Verdict(Map.of(), Map.of()).with(CORRECT, correct);
    }

    /** This verdict with one more metric of right or wrong, which is also a field. */
    public Verdict with(String metric, boolean passed) {
        return withTally(metric, Tally.of(passed)).withField(metric, passed);
    }

    /** This verdict with one more metric. */
    public Verdict withTally(String metric, Tally tally) {
        Map<String, Tally> more = new LinkedHashMap<>(tallies);
        more.put(metric, tally);
        return new Verdict(more, fields);
    }

    /** This verdict with one more field. */
    public Verdict withField(String name, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(fields);
        more.put(name, value);
        return new Verdict(tallies, more);
    }
}
