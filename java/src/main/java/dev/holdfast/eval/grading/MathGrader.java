package dev.holdfast.eval.grading;

import java.util.Optional;

/** MATH: {@code correct} where the boxed answer, in one way of writing LaTeX, is the reference. */
public final class MathGrader implements Grader {
    private final String reference;

    /**
     * @param reference the right answer in LaTeX
     */
    public MathGrader(String reference) {
        this.reference = reference;
    }

    @Override
    public Verdict grade(String response) {
        Optional<String> answer = Answers.boxed(response);
        String expected = LatexAnswer.normalised(reference);
        boolean correct =
                answer.map(LatexAnswer::normalised).filter(expected::equals).isPresent();
        return Verdict.of(correct).withField("answer", answer.orElse(null)).withField("expected", reference);
    }
}
