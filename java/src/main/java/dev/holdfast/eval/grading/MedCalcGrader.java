package dev.holdfast.eval.grading;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** MedCalc-Bench: {@code correct} by the rule of the calculator. */
public final class MedCalcGrader implements Grader {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ANSWER_FIELD = Pattern.compile("\"answer\"\\s*:\\s*\"?([^\"}]*)");
    private static final String EQUALS = "=";

    private final MedCalcRule rule;
    private final String lower;
    private final String upper;

    /**
     * @param lower the least right answer; of the rule's form
     * @param upper the greatest right answer
     */
    public MedCalcGrader(MedCalcRule rule, String lower, String upper) {
        this.rule = rule;
        this.lower = lower;
        this.upper = upper;
    }

    @Override
    public Verdict grade(String response) {
        String answer = answer(response);
        return Verdict.of(rule.accepts(answer, lower, upper))
                .withField("answer", answer)
                .withField("rule", rule.id())
                .withField("lower_bound", lower)
                .withField("upper_bound", upper);
    }

    /** What the answer tag holds, a field {@code answer} of JSON within it, or without a tag the last line. */
    private static String answer(String response) {
        String rest = Answers.behindThinking(response);
        String tagged = Answers.tagged(rest).orElse("");
        String json = jsonAnswer(tagged);
        if (!json.isEmpty()) {
            return json;
        }
        Matcher field = ANSWER_FIELD.matcher(tagged.isEmpty() ? rest : tagged);
        if (field.find()) {
            return field.group(1).strip();
        }
        return tagged.isEmpty() ? result(lastLine(rest)) : tagged;
    }

    private static String jsonAnswer(String text) {
        try {
            JsonNode answer = JSON.readTree(text).path("answer");
            return answer.isValueNode() ? answer.asText().strip() : "";
        } catch (JsonProcessingException e) {
            return "";
        }
    }

    private static String lastLine(String text) {
        String stripped = text.strip();
        return stripped.substring(stripped.lastIndexOf('\n') + 1);
    }

    /** The right side of an equation. */
    private static String result(String line) {
        return line.substring(line.lastIndexOf(EQUALS) + 1).strip();
    }
}
