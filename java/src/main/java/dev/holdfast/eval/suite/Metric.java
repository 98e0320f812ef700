package dev.holdfast.eval.suite;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.holdfast.eval.grading.Tally;

/**
 * A number that sums up a suite, with the interval that holds it at a confidence of 95 %.
 *
 * @param value the number; of shares in [0, 1]
 * @param low the lower end of the interval; null where too little is known to tell
 * @param high the upper end; null likewise
 * @param passed how many trials passed; null where it is not a share
 * @param total how many trials, rows or tokens it is of
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Metric(double value, Double low, Double high, Long passed, long total) {
    static Metric of(Tally tally) {
        return new Metric(tally.share(), tally.low(), tally.high(), tally.passed(), tally.total());
    }

    /** Whether it is a share of trials. */
    @JsonIgnore
    public boolean isShare() {
        return passed != null;
    }
}
