package dev.holdfast.eval.grading;

import java.util.List;
import java.util.Optional;

/** Countdown: {@code correct} where the answer uses every given number once, with + − × ÷ ( ) alone, and equals the target exactly. */
public final class CountdownGrader implements Grader {
    private final List<Integer> numbers;
    private final int target;

    public CountdownGrader(List<Integer> numbers, int target) {
        this.numbers = numbers.stream().sorted().toList();
        this.target = target;
    }

    @Override
    public Verdict grade(String response) {
        String answer = answer(Answers.behindThinking(response));
        Optional<String> fault = fault(answer);
        return Verdict.of(fault.isEmpty())
                .withField("answer", answer)
                .withField("numbers", numbers)
                .withField("target", target)
                .withField("fault", fault.orElse(null));
    }

    private Optional<String> fault(String answer) {
        Optional<ArithmeticExpression> expression = ArithmeticExpression.of(answer);
        if (expression.isEmpty()) {
            return Optional.of("expected an expression of whole numbers");
        }
        List<Integer> used = expression.get().numbers().stream().sorted().toList();
        if (!used.equals(numbers)) {
            return Optional.of("expected the numbers " + numbers + ", each once, got " + used);
        }
        Rational value = expression.get().value();
        return value.equals(Rational.of(target))
                ? Optional.empty()
                : Optional.of("expected " + target + ", got " + value);
    }

    /** What the answer tag or the box holds, or the last line, without the side of an equation that repeats the target. */
    private static String answer(String response) {
        String text = Answers.tagged(response)
                .or(() -> Answers.boxed(response))
                .orElseGet(() -> lastLine(response.strip()))
                .replace("\\times", "*")
                .replace("\\cdot", "*")
                .replace("\\div", "/")
                .replaceAll("[$`]|\\\\[()\\[\\]]", "");
        return text.split("=", 2)[0].strip();
    }

    private static String lastLine(String text) {
        String line = text.substring(text.lastIndexOf('\n') + 1);
        return line.substring(line.lastIndexOf(':') + 1);
    }
}
