package dev.holdfast.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * How far a run is: {@code status.json}.
 *
 * @param step optimizer steps done
 * @param totalSteps of the whole run
 * @param problem why it ended early, in a sentence; null where it did not
 * @param updated when this was written, in UTC
 * @param warnings what was not as it should be, a sentence each
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunStatus(
        State state,
        int step,
        @JsonProperty("total_steps") int totalSteps,
        String problem,
        String updated,
        Model model,
        Rows rows,
        List<String> warnings) {
    /** What became of a run. */
    public enum State {
        /** It goes on, or was killed. */
        @JsonProperty("running")
        RUNNING("is under way, or was killed"),
        @JsonProperty("finished")
        FINISHED("is finished"),
        @JsonProperty("interrupted")
        INTERRUPTED("was interrupted and can be resumed"),
        @JsonProperty("over_budget")
        OVER_BUDGET("was ended by its budget of drift"),
        @JsonProperty("failed")
        FAILED("failed");

        private final String sentence;

        State(String sentence) {
            this.sentence = sentence;
        }

        /** What to say of the run. */
        String sentence() {
            return sentence;
        }
    }

    /**
     * The model in training.
     *
     * @param parameters how many numbers it has
     */
    public record Model(String name, String family, long parameters) {}

    /**
     * The training rows.
     *
     * @param count rows that are trained on
     * @param tokens their tokens
     * @param responseTokens the tokens that are learnt
     */
    public record Rows(long count, long tokens, @JsonProperty("response_tokens") long responseTokens) {}

    public RunStatus {
        warnings = warnings == null ? List.of() : List.copyOf(warnings);
    }
}
