package dev.holdfast.eval.suite;

import dev.holdfast.eval.ChoiceScorer;
import dev.holdfast.eval.JsonLinesOutput;
import dev.holdfast.eval.RowScore;
import dev.holdfast.eval.Scorer;
import dev.holdfast.eval.grading.Verdict;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Has a model weigh answers that are given: the letters of choices, or the responses of rows. */
final class WeighingRun {
    private final EvaluationSettings settings;
    private final EvaluationListener listener;

    WeighingRun(EvaluationSettings settings, EvaluationListener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    /** Whether the likeliest letter is the right one. */
    SuiteScore choices(Suite.Choices suite, Path file) {
        SuiteScore.Sum sum = new SuiteScore.Sum();
        try (ChoiceScorer scorer = ChoiceScorer.open(settings.requireModel(suite.name()), settings.session());
                JsonLinesOutput lines = new JsonLinesOutput(file)) {
            PromptWriter writer = PromptWriter.of(scorer.tokenizer(), settings.shots());
            int done = 0;
            for (Choice choice : suite.choices()) {
                lines.write(weigh(choice, scorer, writer, sum));
                listener.graded(suite.name(), ++done, suite.size());
            }
            lines.commit();
        }
        return sum.score(Map.of());
    }

    private static Map<String, Object> weigh(
            Choice choice, ChoiceScorer scorer, PromptWriter writer, SuiteScore.Sum sum) {
        int[] ids = writer.ids(choice.prompt());
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("key", choice.key());
        line.put("group", choice.group());
        line.put("prompt", choice.prompt().text());
        double[] logprobs = {};
        if (ids.length < scorer.contextLength()) {
            logprobs = scorer.logProbabilities(ids, choice.letters(), writer.answersFollowABlank());
        } else {
            sum.addTooLong();
        }
        int likeliest = likeliest(logprobs);
        Verdict verdict = Verdict.of(likeliest == choice.right())
                .withField("answer", likeliest < 0 ? null : choice.letters().get(likeliest))
                .withField("expected", choice.letters().get(choice.right()))
                .withField("logprobs", logprobs);
        sum.add(verdict, choice.group());
        line.putAll(verdict.fields());
        return line;
    }

    /** The first of the greatest; -1 of none. */
    private static int likeliest(double[] logprobs) {
        int best = -1;
        for (int i = 0; i < logprobs.length; i++) {
            best = best < 0 || logprobs[i] > logprobs[best] ? i : best;
        }
        return best;
    }

    /** How many nats a response token costs, and the perplexity, which is e to that. */
    SuiteScore rows(Suite.Rows suite, Path file) {
        List<RowScore> scores = new ArrayList<>();
        try (Scorer scorer = Scorer.open(settings.requireModel(suite.name()), false, settings.session())) {
            scorer.score(suite.rows(), file, score -> {
                scores.add(score);
                listener.graded(suite.name(), scores.size(), suite.size());
            });
        }
        MeanCost cost = MeanCost.of(scores);
        Map<String, Metric> metrics = new LinkedHashMap<>();
        metrics.put("perplexity", cost.perplexity());
        metrics.put("nats_per_token", cost.natsPerToken());
        return new SuiteScore(suite.size(), 0, 0, 0, metrics, Map.of(), Map.of());
    }
}
