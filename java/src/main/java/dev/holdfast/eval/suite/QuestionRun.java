package dev.holdfast.eval.suite;

import dev.holdfast.eval.BatchGenerator;
import dev.holdfast.eval.JsonLinesOutput;
import dev.holdfast.eval.Response;
import dev.holdfast.eval.grading.Verdict;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Has the questions of a suite answered, by a model or from a file, and grades the responses. */
final class QuestionRun {
    private final EvaluationSettings settings;
    private final EvaluationListener listener;
    private final Map<String, String> notes;
    private final SuiteScore.Sum sum = new SuiteScore.Sum();

    QuestionRun(EvaluationSettings settings, EvaluationListener listener, Map<String, String> notes) {
        this.settings = settings;
        this.listener = listener;
        this.notes = notes;
    }

    /** Grades responses made elsewhere; questions without one are left out. */
    SuiteScore grade(Suite.Questions suite, ResponseFile responses, Path file) {
        try (JsonLinesOutput lines = new JsonLinesOutput(file)) {
            int done = 0;
            for (Question question : suite.questions()) {
                Optional<Response> response = responses.to(question);
                response.ifPresentOrElse(given -> lines.write(grade(question, given)), sum::addMissing);
                listener.graded(suite.name(), ++done, suite.size());
            }
            lines.commit();
        }
        return sum.score(notes);
    }

    /** Has a model answer, several questions at once, those of like length together. */
    SuiteScore answer(Suite.Questions suite, Path file) {
        List<Map<String, Object>> graded = new ArrayList<>(Collections.nCopies(suite.size(), Map.of()));
        try (BatchGenerator model = BatchGenerator.open(settings.requireModel(suite.name()), settings.session())) {
            PromptWriter writer = PromptWriter.of(model.tokenizer(), settings.shots());
            List<int[]> prompts = suite.questions().stream()
                    .map(question -> writer.ids(question.prompt()))
                    .toList();
            int done = 0;
            for (List<Integer> batch : batches(prompts)) {
                List<Response> responses = responses(model, writer, suite.name(), batch, prompts);
                for (int i = 0; i < batch.size(); i++) {
                    graded.set(batch.get(i), grade(suite.questions().get(batch.get(i)), responses.get(i)));
                }
                done += batch.size();
                listener.graded(suite.name(), done, suite.size());
            }
        }
        write(graded, file);
        return sum.score(notes);
    }

    private List<List<Integer>> batches(List<int[]> prompts) {
        List<Integer> byLength = IntStream.range(0, prompts.size())
                .boxed()
                .sorted(Comparator.comparingInt(index -> prompts.get(index).length))
                .toList();
        int size = settings.generation().batchSize();
        return IntStream.range(0, (byLength.size() + size - 1) / size)
                .mapToObj(batch -> byLength.subList(batch * size, Math.min(byLength.size(), (batch + 1) * size)))
                .toList();
    }

    /** The responses to a batch; an empty one to a prompt that leaves no room in the context. */
    private List<Response> responses(
            BatchGenerator model, PromptWriter writer, SuiteName suite, List<Integer> batch, List<int[]> prompts) {
        List<int[]> fitting = batch.stream()
                .map(prompts::get)
                .filter(prompt -> prompt.length < model.contextLength())
                .toList();
        // Ordered by length, so those that do not fit are the last ones.
        List<Response> responses = new ArrayList<>(
                fitting.isEmpty()
                        ? List.of()
                        : model.generate(fitting, settings.generation().options(suite), writer.ends(suite)));
        while (responses.size() < batch.size()) {
            responses.add(new Response("", 0, false));
            sum.addTooLong();
        }
        return responses;
    }

    private Map<String, Object> grade(Question question, Response response) {
        Verdict verdict = question.grader().grade(response.text());
        sum.add(verdict, question.group());
        if (response.isCut()) {
            sum.addCut();
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("key", question.key());
        if (!question.group().isEmpty()) {
            line.put("group", question.group());
        }
        line.put("prompt", question.prompt().text());
        line.put("response", response.text());
        line.put("cut", response.isCut());
        line.putAll(verdict.fields());
        return line;
    }

    private static void write(List<Map<String, Object>> graded, Path file) {
        try (JsonLinesOutput lines = new JsonLinesOutput(file)) {
            graded.forEach(lines::write);
            lines.commit();
        }
    }
}
