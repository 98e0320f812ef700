package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.data.Example;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.testing.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChoiceScorerTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults().withIntraOpThreads(1);

    /** The same logits, summed in the same order. */
    private static final double ROUNDING = 1e-9;

    @TempDir
    Path directory;

    @Test
    void choicesAreAsLikelyAsRowsThatEndInThem() {
        TinyModel tiny = new TinyModel("llama", directory);
        List<String> answers = List.of("w40", "w41", "w42");
        List<RowScore> rows = new ArrayList<>();
        try (Scorer scorer = Scorer.open(tiny.packaged(), false, SETTINGS)) {
            List<Example.PromptCompletion> examples = answers.stream()
                    .map(answer -> new Example.PromptCompletion("w5 w17 w23", " " + answer))
                    .toList();
            scorer.score(Examples.of(examples), directory.resolve("scores.jsonl"), rows::add);
        }
        try (ChoiceScorer scorer = ChoiceScorer.open(tiny.packaged(), SETTINGS)) {
            double[] choices = scorer.logProbabilities(new int[] {5, 17, 23}, answers, true);
            for (int i = 0; i < choices.length; i++) {
                assertThat(choices[i]).isCloseTo(rows.get(i).logprobSum(), within(ROUNDING));
            }
        }
    }

    @Test
    void answersNeedTokensOfTheirOwn() {
        TinyModel tiny = new TinyModel("llama", directory);
        try (ChoiceScorer scorer = ChoiceScorer.open(tiny.packaged(), SETTINGS)) {
            assertThatThrownBy(() -> scorer.logProbabilities(new int[] {5}, List.of("w5 w6"), false))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("expected one token, got 2");
            assertThatThrownBy(() -> scorer.logProbabilities(new int[] {5}, List.of("A", "B"), false))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("expected a token of its own");
        }
    }
}
