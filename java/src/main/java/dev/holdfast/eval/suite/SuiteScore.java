package dev.holdfast.eval.suite;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.holdfast.eval.grading.Tally;
import dev.holdfast.eval.grading.Verdict;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came out of a suite.
 *
 * @param items questions or rows that were graded
 * @param missing questions without a response, where responses come from a file
 * @param cut responses that the limit of tokens ended
 * @param tooLong questions that the model's context has no room for; they count as wrong
 * @param metrics the metrics, the main one first
 * @param groups the main metric of each group, by name
 * @param notes what a reader must know of how it was graded
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record SuiteScore(
        @JsonInclude long items,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) long missing,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) long cut,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) @JsonProperty("too_long") long tooLong,
        Map<String, Metric> metrics,
        Map<String, Metric> groups,
        Map<String, String> notes) {
    /** Adds up verdicts. Thread safety: none. */
    static final class Sum {
        private final Map<String, Tally> tallies = new LinkedHashMap<>();
        private final Map<String, Tally> groups = new TreeMap<>();
        private long items;
        private long missing;
        private long cut;
        private long tooLong;

        void add(Verdict verdict, String group) {
            items++;
            verdict.tallies().forEach((name, tally) -> tallies.merge(name, tally, Tally::plus));
            if (!group.isEmpty()) {
                Tally main = verdict.tallies().values().iterator().next();
                groups.merge(group, main, Tally::plus);
            }
        }

        void addMissing() {
            missing++;
        }

        void addCut() {
            cut++;
        }

        void addTooLong() {
            tooLong++;
        }

        SuiteScore score(Map<String, String> notes) {
            return new SuiteScore(items, missing, cut, tooLong, metrics(tallies), metrics(groups), notes);
        }

        private static Map<String, Metric> metrics(Map<String, Tally> tallies) {
            Map<String, Metric> metrics = new LinkedHashMap<>();
            tallies.forEach((name, tally) -> metrics.put(name, Metric.of(tally)));
            return metrics;
        }
    }
}
