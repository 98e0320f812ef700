package dev.holdfast.eval.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import dev.holdfast.data.JsonLine;
import dev.holdfast.data.Message;
import dev.holdfast.eval.grading.MedCalcGrader;
import dev.holdfast.eval.grading.MedCalcRule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * MedCalc-Bench's rows: {@code messages}, {@code lower_bound}, {@code upper_bound}.
 *
 * <p>Which calculator a row is of shows in its task alone. A calculator yields a score if all of its rows have whole bounds that are
 * equal; one
 * that yields a quantity has such bounds only where the quantity is 0.
 */
final class MedCalcRows {
    private static final String TASK = "Here is the task:";

    private MedCalcRows() {}

    private record Row(List<Message> messages, String task, String lower, String upper, MedCalcRule rule) {}

    static List<Question> questions(SuiteFiles files) {
        List<Row> rows = files.read(MedCalcRows::row);
        Set<String> quantities = new HashSet<>();
        rows.stream().filter(row -> row.rule() == MedCalcRule.VALUE).forEach(row -> quantities.add(row.task()));
        return IntStream.range(0, rows.size())
                .mapToObj(index -> question(index, rows.get(index), quantities))
                .toList();
    }

    private static Question question(int index, Row row, Set<String> quantities) {
        boolean isQuantity = row.rule() == MedCalcRule.SCORE && quantities.contains(row.task());
        MedCalcRule rule = isQuantity ? MedCalcRule.VALUE : row.rule();
        Message last = row.messages().get(row.messages().size() - 1);
        return new Question(
                IntNode.valueOf(index),
                new Prompt(row.messages(), last.content()),
                new MedCalcGrader(rule, row.lower(), row.upper()),
                rule.id());
    }

    private static Row row(JsonLine line) {
        List<Message> messages = new ArrayList<>();
        for (JsonNode message : line.list("messages")) {
            if (!message.path("role").isTextual() || !message.path("content").isTextual()) {
                throw line.malformed("messages: expected a role and a content that are texts, got " + message);
            }
            messages.add(new Message(
                    message.get("role").textValue(), message.get("content").textValue()));
        }
        while (!messages.isEmpty() && messages.get(messages.size() - 1).isResponse()) {
            messages.remove(messages.size() - 1);
        }
        if (messages.isEmpty()) {
            throw line.malformed("messages: expected a question, got none");
        }
        String lower = line.text("lower_bound");
        String upper = line.text("upper_bound");
        MedCalcRule rule = MedCalcRule.of(lower, upper)
                .orElseThrow(() -> line.malformed(
                        "lower_bound, upper_bound: expected two numbers, or one date or ('n weeks', 'n days') twice, got "
                                + lower + " and " + upper));
        return new Row(messages, task(messages), lower, upper, rule);
    }

    private static String task(List<Message> messages) {
        String question = messages.get(messages.size() - 1).content();
        String task = question.substring(Math.max(0, question.lastIndexOf(TASK)));
        return task.split("\n", 2)[0];
    }
}
