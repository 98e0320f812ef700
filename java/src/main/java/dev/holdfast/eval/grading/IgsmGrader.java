package dev.holdfast.eval.grading;

import dev.holdfast.eval.igsm.IgsmProblem;
import dev.holdfast.eval.igsm.IgsmSolution;
import java.util.Optional;

/**
 * Problems of iGSM: {@code correct} where the last whole number of the response is the answer modulo 23, {@code strict} where the
 * response is a
 * solution of which every step is right.
 */
public final class IgsmGrader implements Grader {
    private static final int MODULUS = 23;

    private final IgsmProblem problem;
    private final int answer;

    /**
     * @param answer the value that is asked for, in [0, 23)
     */
    public IgsmGrader(IgsmProblem problem, int answer) {
        this.problem = problem;
        this.answer = answer;
    }

    @Override
    public Verdict grade(String response) {
        Optional<Long> number = Answers.lastWhole(response);
        boolean correct =
                number.filter(value -> Math.floorMod(value, MODULUS) == answer).isPresent();
        Optional<String> fault = new IgsmSolution(response).fault(problem, answer);
        return Verdict.of(correct)
                .with("strict", fault.isEmpty())
                .withField("answer", number.orElse(null))
                .withField("expected", answer)
                .withField("fault", fault.orElse(null));
    }
}
