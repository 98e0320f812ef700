package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MedCalcGraderTest {
    private static boolean isCorrect(MedCalcRule rule, String lower, String upper, String response) {
        return (boolean)
                new MedCalcGrader(rule, lower, upper).grade(response).fields().get("correct");
    }

    private static String tagged(String answer) {
        return "so 7 it is.</think>\n<answer>{\"answer\": \"" + answer + "\"}</answer>";
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "09/23/2014 | true",
                "9/23/2014 | true",
                "on 09/23/2014. | true",
                "09/24/2014 | false",
                "23/09/2014 | false",
                "09/23/14 | false",
                "02/30/2014 | false",
                "soon | false"
            })
    void datesAreTheSameDay(String answer, boolean right) {
        assertThat(isCorrect(MedCalcRule.DATE, "09/23/2014", "09/23/2014", tagged(answer)))
                .isEqualTo(right);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "('17 weeks', '6 days') | true",
                "17 weeks and 6 days | true",
                "17 weeks, 6 days | true",
                "17 Weeks 6 Days | true",
                "(17 weeks, 5 days) | false",
                "6 weeks 17 days | false",
                "125 days | false"
            })
    void timesAreTheSameWeeksAndDays(String answer, boolean right) {
        String bound = "('17 weeks', '6 days')";
        assertThat(isCorrect(MedCalcRule.WEEKS_AND_DAYS, bound, bound, tagged(answer)))
                .isEqualTo(right);
    }

    @ParameterizedTest
    @CsvSource({"2,true", "2.4,true", "1.5,true", "2.5,true", "2.6,false", "-2,false", "3,false", "none,false"})
    void scoresAreRoundedToWholeNumbers(String answer, boolean right) {
        assertThat(isCorrect(MedCalcRule.SCORE, "2", "2", tagged(answer))).isEqualTo(right);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "23.9761 | true",
                "26.4999 | true",
                "25.2 mL/min | true",
                "26.5 | false",
                "23.976 | false",
                "2.52e1 | true",
                "-25.2 | false",
                "about .252 | false",
                "{} | false"
            })
    void quantitiesLieWithinTheirBounds(String answer, boolean right) {
        assertThat(isCorrect(MedCalcRule.VALUE, "23.9761", "26.4999", tagged(answer)))
                .isEqualTo(right);
    }

    @Test
    void boundsOfNegativeAndOfLargeQuantitiesHold() {
        assertThat(isCorrect(MedCalcRule.VALUE, "-6.3", "-5.7", tagged("-6"))).isTrue();
        assertThat(isCorrect(MedCalcRule.VALUE, "-6.3", "-5.7", tagged("6"))).isFalse();
        assertThat(isCorrect(MedCalcRule.VALUE, "11400", "12600", tagged("12,000")))
                .isTrue();
    }

    @Test
    void theAnswerIsFoundInManyForms() {
        for (String response : List.of(
                "<answer>{\"answer\": 25.2}</answer>",
                "<answer>{\"answer\": \"25.2\"}</answer>",
                "<answer>25.2</answer>",
                "<answer>{'answer': 25.2}</answer>",
                "<answer>{\"answer\": \"25.2 mL/min",
                "{\"answer\": \"25.2\"}",
                "25.2",
                "3 * 8.4 = 25.2",
                "First 99.\nThe clearance = 25.2 mL/min")) {
            assertThat(isCorrect(MedCalcRule.VALUE, "24", "26", response))
                    .as(response)
                    .isTrue();
        }
        assertThat(isCorrect(MedCalcRule.VALUE, "24", "26", "")).isFalse();
    }

    @Test
    void theRuleShowsInTheBounds() {
        assertThat(MedCalcRule.of("01/02/2020", "01/02/2020")).contains(MedCalcRule.DATE);
        assertThat(MedCalcRule.of("('3 weeks', '4 days')", "('3 weeks', '4 days')"))
                .contains(MedCalcRule.WEEKS_AND_DAYS);
        assertThat(MedCalcRule.of("3", "3")).contains(MedCalcRule.SCORE);
        assertThat(MedCalcRule.of("95", "105")).contains(MedCalcRule.VALUE);
        assertThat(MedCalcRule.of("-2.1", "-1.9")).contains(MedCalcRule.VALUE);
        assertThat(MedCalcRule.of("three", "3")).isEmpty();
        assertThat(MedCalcRule.of("01/02/2020", "01/03/2020")).isEmpty();
    }
}
