package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Letters of multiple choice and boxed answers. */
class AnswerGradersTest {
    private static boolean isCorrect(Grader grader, String response) {
        return (boolean) grader.grade(response).fields().get("correct");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "The answer is (C).",
                "the answer is C",
                "A or B? Answer: C",
                "answer: (C)",
                "Not A, not B, so C.",
                "C",
                "The answer is (C). A is wrong."
            })
    void theLetterThatAResponseSettlesOnIsRight(String response) {
        assertThat(isCorrect(new ChoiceGrader("C"), response)).as(response).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "The answer is (D).", "c", "CD", "C? No: the answer is A", "C or D"})
    void otherLettersAreWrong(String response) {
        assertThat(isCorrect(new ChoiceGrader("C"), response)).as(response).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\\frac{14}{3} | \\dfrac{14}{3}",
                "\\frac{14}{3} | 14/3",
                "\\frac{1}{2} | \\frac12",
                "\\frac{1}{2} | 0.5",
                "\\frac{1}{2} | .5",
                "\\left( 3, \\frac{\\pi}{2} \\right) | (3,\\frac{\\pi}{2})",
                "p - q | p-q",
                "90^\\circ | 90",
                "5 | x = 5",
                "5 | 5\\text{ cm}",
                "5 | \\$5",
                "5 | 5.",
                "50\\% | 50",
                "1,000 | 1000",
                "\\text{Evelyn} | Evelyn",
                "\\sqrt{2} | \\sqrt2",
                "-\\frac{1}{3} | \\frac{-1}{3}",
                "4 | 4.00",
                "11\\sqrt2 | 11\\sqrt{2}",
                "\\frac{a}{b} | \\frac{a}b"
            })
    void waysOfWritingOneAnswerAreEqual(String reference, String answer) {
        assertThat(isCorrect(new MathGrader(reference), "So it is $\\boxed{" + answer + "}$."))
                .isTrue();
        assertThat(isCorrect(new MathGrader(answer), "\\boxed{" + reference + "}"))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "5",
                "\\boxed{6}",
                "\\boxed{5",
                "\\boxed{5} or \\boxed{6}",
                "\\boxed{-5}",
                "\\boxed{\\frac{5}{2}}"
            })
    void otherAnswersAndUnboxedOnesAreWrong(String response) {
        assertThat(isCorrect(new MathGrader("5"), response)).as(response).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\boxed{5}", "\\boxed{6} no: \\boxed{5}", "\\boxed 5 it is", "$\\boxed 5$"})
    void theLastBoxCounts(String response) {
        assertThat(isCorrect(new MathGrader("5"), response)).as(response).isTrue();
    }
}
