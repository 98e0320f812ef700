package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CountdownGraderTest {
    private static final CountdownGrader GRADER = new CountdownGrader(List.of(3, 8, 3, 8), 24);

    /** An expression with its value, computed apart from the grader. */
    private record Known(String text, Rational value) {}

    private static boolean isCorrect(CountdownGrader grader, String response) {
        return (boolean) grader.grade(response).fields().get("correct");
    }

    @Property
    void anExpressionIsRightForItsOwnValueAlone(@ForAll long seed) {
        Random random = new Random(seed);
        List<Integer> numbers =
                random.ints(2 + random.nextInt(5), 1, 100).boxed().toList();
        Known known = expression(numbers, random);
        boolean isWhole = known.value().denominator().equals(BigInteger.ONE);
        int target = known.value().numerator().intValue();
        CountdownGrader grader = new CountdownGrader(numbers, target);
        boolean reached = isWhole && known.value().equals(Rational.of(target));
        assertThat(isCorrect(grader, "<answer>" + known.text() + "</answer>"))
                .as(known.text())
                .isEqualTo(reached);
        assertThat(isCorrect(new CountdownGrader(numbers, target + 1), known.text()))
                .isFalse();
        List<Integer> more = new ArrayList<>(numbers);
        more.add(1);
        assertThat(isCorrect(new CountdownGrader(more, target), known.text())).isFalse();
    }

    private static Known expression(List<Integer> numbers, Random random) {
        if (numbers.size() == 1) {
            return new Known(numbers.get(0).toString(), Rational.of(numbers.get(0)));
        }
        int cut = 1 + random.nextInt(numbers.size() - 1);
        Known left = expression(numbers.subList(0, cut), random);
        Known right = expression(numbers.subList(cut, numbers.size()), random);
        int operation = random.nextInt(right.value().numerator().signum() == 0 ? 3 : 4);
        Rational value =
                switch (operation) {
                    case 0 -> left.value().plus(right.value());
                    case 1 -> left.value().minus(right.value());
                    case 2 -> left.value().times(right.value());
                    default -> left.value().dividedBy(right.value());
                };
        String sign = List.of("+", "-", "\u00d7", "/").get(operation);
        return new Known("(" + left.text() + " " + sign + " " + right.text() + ")", value);
    }

    @Property
    void aGeneratedProblemIsSolvedByItsSolution(@ForAll long seed) {
        for (CountdownProblem problem : CountdownProblem.generate(3, seed)) {
            CountdownGrader grader = new CountdownGrader(problem.numbers(), problem.target());
            assertThat(isCorrect(grader, problem.solution())).as("%s", problem).isTrue();
            assertThat(problem.target()).isBetween(1, 100);
            assertThat(problem.numbers()).hasSizeBetween(3, 4).allMatch(number -> number >= 1 && number < 100);
        }
    }

    @Test
    void aSeedDecidesTheProblems() {
        assertThat(CountdownProblem.generate(20, 1)).isEqualTo(CountdownProblem.generate(20, 1));
        assertThat(CountdownProblem.generate(20, 1)).isNotEqualTo(CountdownProblem.generate(20, 2));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8 / (3 - 8 / 3)",
                "<think>3*8</think><answer> 8/(3-8/3) = 24 </answer>",
                "So:\n8 \u00f7 (3 \u2212 8 \u00f7 3)",
                "Answer: 8 / (3 - 8 / 3)",
                "$\\boxed{8 \\div (3 - 8 \\div 3)}$",
                "<answer>`8/(3-8/3)`</answer> I hope so"
            })
    void rightAnswersInManyForms(String response) {
        assertThat(isCorrect(GRADER, response)).as(response).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "24",
                "3 * 8",
                "3 * 8 + 3 - 3",
                "8 / (3 - 8 / 3) + 0",
                "3 8 / (3 - 8 / 3)",
                "(3 + 3) * 8 - 8 * 3",
                "8 / (3 - 3) * 8",
                "-8 / (8 / 3 - 3)",
                "8 ^ 3",
                "8 / (3 - 8 / 3",
                "((((",
                "99999999999999999999"
            })
    void wrongAnswers(String response) {
        assertThat(isCorrect(GRADER, response)).as(response).isFalse();
    }

    @Test
    void hostileResponsesEndSoon() {
        assertThat(isCorrect(GRADER, "(".repeat(1_000_000))).isFalse();
        assertThat(isCorrect(GRADER, "8*".repeat(200) + "8")).isFalse();
    }
}
