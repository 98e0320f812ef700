package dev.holdfast.eval.grading;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Multiple choice: {@code correct} where the letter that the response settles on is the right one. */
public final class ChoiceGrader implements Grader {
    /** Tried in this order, as MMLU-Pro's own program does; it guesses where none is found, which here is wrong. */
    private static final List<Pattern> SETTLEMENTS = List.of(
            Pattern.compile("answer is \\(?([A-J])\\)?"),
            Pattern.compile("[aA]nswer:\\s*\\(?([A-J])\\)?"),
            Pattern.compile("\\b([A-J])\\b(?!.*\\b[A-J]\\b)", Pattern.DOTALL));

    private final String letter;

    /**
     * @param letter the right one, of A to J
     */
    public ChoiceGrader(String letter) {
        this.letter = letter;
    }

    @Override
    public Verdict grade(String response) {
        Optional<String> chosen = letter(response);
        return Verdict.of(chosen.filter(letter::equals).isPresent())
                .withField("answer", chosen.orElse(null))
                .withField("expected", letter);
    }

    private static Optional<String> letter(String response) {
        for (Pattern settlement : SETTLEMENTS) {
            Matcher matcher = settlement.matcher(response);
            if (matcher.find()) {
                return Optional.of(matcher.group(1));
            }
        }
        return Optional.empty();
    }
}
