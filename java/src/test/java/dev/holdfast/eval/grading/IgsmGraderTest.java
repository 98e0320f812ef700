package dev.holdfast.eval.grading;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.data.JsonLines;
import dev.holdfast.eval.igsm.IgsmProblem;
import dev.holdfast.testing.SharedData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IgsmGraderTest {
    private static final Path CARRIED = Path.of("onnx-artifacts/igsm/test.jsonl");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern OPERAND = Pattern.compile("(?<= = )[A-Za-z](?= [-+*] )|(?<= [-+*] )[A-Za-z](?= = )");
    private static final Pattern OPERATOR = Pattern.compile("(?<= )[-+*](?= )");

    private static final String PROBLEM = "The number of each Hall's Red Desk equals each Room's Lamp."
            + " The number of each Hall's Blue Desk equals 3 more than the sum of each Room's Lamp and each Hall's Red Desk."
            + " The number of each Room's Lamp equals 21. How many Desk does Hall have?";
    private static final String SOLUTION =
            "Define Room's Lamp as a; so a = 21. Define Hall's Red Desk as b; so b = a = 21."
                    + " Define Hall's Blue Desk as c; d = a + b = 21 + 21 = 19; so c = 3 + d = 3 + 19 = 22."
                    + " Define Hall's Desk as e; so e = b + c = 21 + 22 = 20.";

    private static IgsmGrader grader(String problem, String solution, int answer) {
        return new IgsmGrader(IgsmProblem.of(problem, solution).orElseThrow(), answer);
    }

    private static boolean isStrict(String response) {
        return (boolean) grader(PROBLEM, SOLUTION, 20).grade(response).fields().get("strict");
    }

    private static String fault(String response) {
        return String.valueOf(
                grader(PROBLEM, SOLUTION, 20).grade(response).fields().get("fault"));
    }

    @Test
    void everyCarriedSolutionIsAcceptedAndEveryMutatedOneRejected() {
        acceptAndMutate(CARRIED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"test-op2-5.jsonl", "test-op10-15.jsonl", "train-op2-5.jsonl", "train-op10-15.jsonl"})
    void everyGeneratedSolutionIsAcceptedAndEveryMutatedOneRejected(String file) {
        acceptAndMutate(SharedData.require("igsm/" + file));
    }

    private static void acceptAndMutate(Path file) {
        Random random = new Random(20261128);
        List<String> wrong = new ArrayList<>();
        new JsonLines(file).forEach(line -> {
            String solution = line.text("completion");
            IgsmGrader grader = grader(line.text("prompt"), solution, line.whole("answer"));
            if (grader.grade(solution).fields().get("fault") != null) {
                wrong.add(line.where() + ": refused: " + grader.grade(solution).fields());
            }
            for (String mutated : mutated(solution, random)) {
                if (grader.grade(mutated).fields().get("fault") == null) {
                    wrong.add(line.where() + ": accepted: " + mutated);
                }
            }
        });
        assertThat(wrong).isEmpty();
    }

    /** A number raised, an operand or operator exchanged, a step left out or repeated, steps exchanged, the last letter renamed. */
    private static List<String> mutated(String solution, Random random) {
        List<String> mutated = new ArrayList<>();
        mutated.add(replaced(
                solution,
                pick(NUMBER, solution, random),
                number -> Integer.toString((Integer.parseInt(number) + 1) % 23)));
        String[] steps = solution.split("(?<=\\.) (?=Define )");
        if (steps.length > 1) {
            int left = random.nextInt(steps.length);
            List<String> fewer = new ArrayList<>(List.of(steps));
            String step = fewer.remove(left);
            mutated.add(String.join(" ", fewer));
            mutated.add(solution + " " + step);
        }
        List<MatchResult> operands = OPERAND.matcher(solution).results().toList();
        if (!operands.isEmpty()) {
            mutated.add(replaced(solution, operands.get(random.nextInt(operands.size())), letter -> "unknown"));
        }
        List<MatchResult> operators = OPERATOR.matcher(solution).results().toList();
        if (!operators.isEmpty()) {
            MatchResult operator = operators.get(random.nextInt(operators.size()));
            mutated.add(replaced(solution, operator, sign -> sign.equals("+") ? "-" : "+"));
        }
        mutated.add(solution.replaceFirst("Define ", "Let "));
        return mutated;
    }

    private static MatchResult pick(Pattern pattern, String text, Random random) {
        // Names hold numbers too ("99 Ranch Market"); those of equations follow a sign.
        List<MatchResult> found = pattern.matcher(text)
                .results()
                .filter(match -> match.start() > 1 && "=+-*".indexOf(text.charAt(match.start() - 2)) >= 0)
                .toList();
        return found.get(random.nextInt(found.size()));
    }

    private interface Change {
        String of(String text);
    }

    private static String replaced(String text, MatchResult match, Change change) {
        return text.substring(0, match.start()) + change.of(match.group()) + text.substring(match.end());
    }

    @Test
    void theLastWholeNumberIsTheAnswerModulo23() {
        IgsmGrader grader = grader(PROBLEM, SOLUTION, 20);
        for (String right :
                List.of(SOLUTION, "20", "The answer is 20.", "5 + 15 = 20", "so it is 43", "-3", "\\boxed{20}")) {
            assertThat(grader.grade(right).fields()).as(right).containsEntry("correct", true);
        }
        for (String wrong : List.of("", "none", "20 or 21", "20.5", "120", "It is 2.20")) {
            assertThat(grader.grade(wrong).fields()).as(wrong).containsEntry("correct", false);
        }
    }

    @Test
    void faultsNameStepAndReason() {
        assertThat(isStrict(SOLUTION)).isTrue();
        assertThat(fault(SOLUTION.replace("so b = a = 21", "so b = a = 20"))).isEqualTo("step 2: expected 21, got 20");
        assertThat(fault(SOLUTION.replace("3 + d = 3 + 19", "3 + d = 3 + 18")))
                .isEqualTo("step 3: expected 3 + 19, got 3 + 18");
        assertThat(fault(SOLUTION.replace("so b = a = 21", "so b = 21")))
                .isEqualTo("step 2: Hall's Red Desk is defined otherwise");
        assertThat(fault(SOLUTION.replace("Hall's Red Desk as b", "Hall's Green Lamp as b")))
                .startsWith("step 2: Hall's Green Lamp is defined otherwise");
        assertThat(fault(SOLUTION.replace("Hall's Red Desk as b", "Garden's Tree as b")))
                .isEqualTo("step 2: Garden's Tree is not a quantity of the problem");
        assertThat(fault("Define Room's Lamp as a; so a = 21.")).contains("not what is asked");
        assertThat(fault(SOLUTION.replace("so e = b + c", "so e = b + z"))).isEqualTo("step 4: z is not defined yet");
    }

    @Test
    void theOrderOfOperandsIsFree() {
        assertThat(isStrict(SOLUTION.replace("d = a + b = 21 + 21", "d = b + a = 21 + 21")))
                .isTrue();
        assertThat(isStrict(SOLUTION.replace("so e = b + c = 21 + 22", "so e = c + b = 22 + 21")))
                .isTrue();
    }

    @Test
    void hostileResponsesEndSoon() {
        StringBuilder squares = new StringBuilder("Define Room's Lamp as a; so a = 21. Define Hall's Red Desk as b; ");
        squares.append("c = a + a = 21 + 21 = 19; ");
        for (int i = 0; i < 200; i++) {
            squares.append("c = c * c = 0 * 0 = 0; ");
        }
        assertThat(isStrict(squares + "so b = c = 0.")).isFalse();
        assertThat(isStrict("Define ".repeat(20_000))).isFalse();
        assertThat(isStrict("9".repeat(100_000))).isFalse();
    }

    @Test
    void aProblemThatIsWordedOtherwiseIsNone() {
        assertThat(IgsmProblem.of("How many desks are there?", SOLUTION)).isEmpty();
        assertThat(IgsmProblem.of(PROBLEM.replace("equals 21", "is 21"), SOLUTION))
                .isEmpty();
    }
}
