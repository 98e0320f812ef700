package dev.holdfast.eval.suite;

import dev.holdfast.data.Example;
import dev.holdfast.data.Examples;
import dev.holdfast.data.Message;
import dev.holdfast.data.Row;
import dev.holdfast.data.Tokenizer;
import dev.holdfast.error.InvalidInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts questions into the words that a model takes, with some answered questions before them.
 *
 * <p>With a chat template the answered questions are earlier turns. Without one they stand before the question, parted by blank lines,
 * and a
 * blank line then ends a response.
 */
final class PromptWriter {
    private static final String GAP = "\n\n";

    private final Tokenizer tokenizer;
    private final boolean usesTemplate;
    private final List<Example.PromptCompletion> shots;

    private PromptWriter(Tokenizer tokenizer, boolean usesTemplate, List<Example.PromptCompletion> shots) {
        this.tokenizer = tokenizer;
        this.usesTemplate = usesTemplate;
        this.shots = shots;
    }

    /**
     * A writer for a model.
     *
     * @throws InvalidInputException if a template is asked for and the model has none, or there are fewer answered questions than asked for
     */
    static PromptWriter of(Tokenizer tokenizer, EvaluationSettings.Shots settings) {
        List<Example.PromptCompletion> shots =
                settings.file().map(file -> shots(file, settings.count())).orElse(List.of());
        return new PromptWriter(tokenizer, settings.template().applies(tokenizer), shots);
    }

    /** The first rows of a file, which are prompt and completion. */
    private static List<Example.PromptCompletion> shots(Path file, int count) {
        List<Example.PromptCompletion> shots = new ArrayList<>();
        Examples.jsonLines(file).forEach(row -> {
            if (shots.size() < count) {
                shots.add(shot(row));
            }
        });
        if (shots.size() < count) {
            throw new InvalidInputException(
                    file + ": expected at least " + count + " rows for few_shot, got " + shots.size());
        }
        return shots;
    }

    private static Example.PromptCompletion shot(Row row) {
        if (row.example() instanceof Example.PromptCompletion shot) {
            return shot;
        }
        throw new InvalidInputException(row.where() + ": expected a prompt and a completion to show, got other fields");
    }

    /** The ids of a question. */
    int[] ids(Prompt prompt) {
        return usesTemplate
                ? tokenizer.encode(tokenizer.chatTemplate().render(messages(prompt), true), false)
                : tokenizer.encode(text(prompt), true);
    }

    private List<Message> messages(Prompt prompt) {
        List<Message> messages = new ArrayList<>();
        for (Example.PromptCompletion shot : shots) {
            messages.add(new Message("user", shot.prompt()));
            messages.add(new Message("assistant", shot.completion()));
        }
        messages.addAll(prompt.messages());
        return messages;
    }

    private String text(Prompt prompt) {
        StringBuilder text = new StringBuilder();
        shots.forEach(shot -> text.append(shot.prompt())
                .append(between(shot))
                .append(shot.completion())
                .append(GAP));
        return text.append(prompt.text()).toString();
    }

    /** A blank, unless the rows bring one. */
    private static String between(Example.PromptCompletion shot) {
        boolean parted = shot.prompt().isEmpty()
                || Character.isWhitespace(shot.prompt().charAt(shot.prompt().length() - 1))
                || shot.completion().isEmpty()
                || Character.isWhitespace(shot.completion().charAt(0));
        return parted ? "" : " ";
    }

    /** Texts that end a response of a suite. */
    List<String> ends(SuiteName suite) {
        if (usesTemplate) {
            return List.of();
        }
        if (suite.runsCode()) {
            return List.of("\ndef ", "\nclass ", "\nif __name__", "\nprint(", "\nassert ", "\n```", "\n\"\"\"");
        }
        return shots.isEmpty() ? List.of() : List.of(GAP);
    }

    /** Whether an answer in one word follows a blank, as it does where a text goes on. */
    boolean answersFollowABlank() {
        return !usesTemplate;
    }
}
