package dev.holdfast.eval.suite;

import dev.holdfast.data.JsonLine;
import dev.holdfast.eval.grading.ChoiceGrader;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** MMLU-Pro's rows: {@code question}, {@code options} (at most ten), {@code answer_index}, {@code category}. */
final class MultipleChoice {
    private static final String LETTERS = "ABCDEFGHIJ";
    private static final String REASON =
            "\n\nThink step by step, then finish with \"the answer is (X)\", where X is the letter of the right option.";
    private static final String AT_ONCE = "\n\nAnswer with the letter of the right option alone.";

    private MultipleChoice() {}

    /** A row to be answered by a response that reasons. */
    static Question question(JsonLine line) {
        String letter = letters(line).get(right(line));
        return new Question(
                SuiteReader.key(line, "question_id"),
                Prompt.of(asked(line) + REASON),
                new ChoiceGrader(letter),
                category(line));
    }

    /** A row to be answered by the likeliest letter. */
    static Choice choice(JsonLine line) {
        Prompt prompt = Prompt.of(asked(line) + AT_ONCE);
        return new Choice(
                SuiteReader.key(line, "question_id"),
                new Prompt(prompt.messages(), prompt.text() + "\nAnswer:"),
                letters(line),
                right(line),
                category(line));
    }

    private static String asked(JsonLine line) {
        List<String> options = line.texts("options");
        return line.text("question") + "\n\n"
                + IntStream.range(0, options.size())
                        .mapToObj(index -> letters(line).get(index) + ". " + options.get(index))
                        .collect(Collectors.joining("\n"));
    }

    private static List<String> letters(JsonLine line) {
        int count = line.texts("options").size();
        if (count < 1 || count > LETTERS.length()) {
            throw line.malformed("options: expected 1 to " + LETTERS.length() + ", got " + count);
        }
        return List.of(LETTERS.substring(0, count).split(""));
    }

    private static int right(JsonLine line) {
        int index = line.whole("answer_index");
        if (index < 0 || index >= letters(line).size()) {
            throw line.malformed("answer_index: expected the index of an option, got " + index);
        }
        return index;
    }

    private static String category(JsonLine line) {
        return line.has("category") ? line.text("category") : "";
    }
}
