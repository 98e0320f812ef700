package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.testing.TinyModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command that evaluates, on a tiny model and on responses. */
class EvalCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String IFEVAL =
            """
            {"key": 1000, "prompt": "w5", "instruction_id_list": ["punctuation:no_comma", "startend:quotation"], "kwargs": [{}, {}]}
            {"key": 1001, "prompt": "w6", "instruction_id_list": ["detectable_format:title"], "kwargs": [{}]}
            {"key": 1002, "prompt": "w7", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
            """;

    @TempDir
    static Path models;

    private static TinyModel tiny;

    @TempDir
    Path folder;

    private final ByteArrayOutputStream results = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    @BeforeAll
    static void makeModel() {
        tiny = new TinyModel("llama", models);
    }

    private int eval(String... flags) {
        results.reset();
        messages.reset();
        Console console = new Console(print(results), print(messages), OptionalInt.empty(), false);
        return new Cli(console)
                .run(Stream.concat(Stream.of("eval", "--out", out().toString(), "--threads", "1"), Stream.of(flags))
                        .toArray(String[]::new));
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private Path out() {
        return folder.resolve("scores");
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private JsonNode scorecard() throws IOException {
        return JSON.readTree(out().resolve("scorecard.json").toFile());
    }

    private List<JsonNode> lines(String suite) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out().resolve(suite + ".jsonl"))) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    private String said() {
        return messages.toString(StandardCharsets.UTF_8);
    }

    @Test
    void responsesMadeElsewhereAreGraded() throws IOException {
        Path data = write("ifeval.jsonl", IFEVAL);
        Path responses = write(
                "responses.jsonl",
                "{\"key\": 1001, \"response\": \"<<a>>\"}\n{\"key\": 1000, \"response\": \"Sure:\\n\\\"a b\\\"\"}\n");
        assertThat(eval("--suite", "ifeval", "--data", data.toString(), "--responses", responses.toString()))
                .isEqualTo(ExitCode.OK);
        List<JsonNode> lines = lines("ifeval");
        assertThat(lines).extracting(line -> line.get("key").toString()).containsExactly("1000", "1001");
        assertThat(lines.get(0).get("strict").toString()).isEqualTo("[true,false]");
        assertThat(lines.get(0).get("loose").toString()).isEqualTo("[true,true]");
        assertThat(lines.get(0).get("response").asText()).isEqualTo("Sure:\n\"a b\"");
        JsonNode score = scorecard().at("/suites/ifeval");
        assertThat(score.get("items").intValue()).isEqualTo(2);
        assertThat(score.get("missing").intValue()).isEqualTo(1);
        assertThat(score.at("/metrics/prompt_strict/value").doubleValue()).isEqualTo(0.5);
        assertThat(score.at("/metrics/instruction_strict/passed").intValue()).isEqualTo(2);
        assertThat(score.at("/metrics/instruction_strict/total").intValue()).isEqualTo(3);
        assertThat(score.at("/metrics/prompt_loose/value").doubleValue()).isEqualTo(1);
        assertThat(scorecard().at("/data").fieldNames().next()).isEqualTo(data.toString());
        assertThat(said()).contains("ifeval: 1 question without a response in the file, left out");
        assertThat(results.toString(StandardCharsets.UTF_8))
                .contains("prompt_strict")
                .contains("50.0 %");
    }

    @Test
    void aModelAnswersSeveralSuitesAndItsResponsesGradeTheSame() throws IOException {
        Path data = Files.createDirectories(folder.resolve("data"));
        Files.writeString(data.resolve("ifeval.jsonl"), IFEVAL);
        Files.copy(Path.of("onnx-artifacts/igsm/test.jsonl"), data.resolve("igsm.jsonl"));
        String[] common = {"--suite", "ifeval,igsm", "--data", data.toString(), "--limit", "2"};
        assertThat(eval(concat(
                        common, "--model", tiny.packaged().toString(), "--max-new-tokens", "6", "--batch-size", "2")))
                .isEqualTo(ExitCode.OK);
        List<JsonNode> generated = lines("ifeval");
        assertThat(generated).hasSize(2).allMatch(line -> line.has("cut") && line.has("strict"));
        assertThat(lines("igsm")).hasSize(2).allMatch(line -> line.has("correct") && line.has("fault"));
        JsonNode metrics = scorecard().at("/suites/ifeval/metrics");
        Path responses = Files.createDirectories(folder.resolve("responses"));
        for (String suite : List.of("ifeval", "igsm")) {
            Files.move(out().resolve(suite + ".jsonl"), responses.resolve(suite + ".jsonl"));
        }
        Files.delete(out().resolve("scorecard.json"));
        assertThat(eval(concat(common, "--responses", responses.toString()))).isEqualTo(ExitCode.OK);
        assertThat(lines("ifeval"))
                .extracting(line -> line.get("response"))
                .isEqualTo(generated.stream().map(line -> line.get("response")).toList());
        assertThat(scorecard().at("/suites/ifeval/metrics")).isEqualTo(metrics);
    }

    private static String[] concat(String[] first, String... more) {
        return Stream.concat(Stream.of(first), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void countdownNeedsNoData() throws IOException {
        assertThat(eval(
                        "--suite",
                        "countdown",
                        "--model",
                        tiny.packaged().toString(),
                        "--limit",
                        "3",
                        "--max_new_tokens",
                        "2"))
                .isEqualTo(ExitCode.OK);
        assertThat(lines("countdown"))
                .hasSize(3)
                .allMatch(line -> line.get("numbers").size() >= 3);
    }

    @Test
    void perplexityIsThatOfTheScores() throws IOException {
        Path rows = TinyModel.rows(folder.resolve("rows.jsonl"), 6);
        assertThat(eval("--suite", "perplexity", "--model", tiny.packaged().toString(), "--data", rows.toString()))
                .isEqualTo(ExitCode.OK);
        double sum = 0;
        long tokens = 0;
        for (JsonNode line : lines("perplexity")) {
            sum += line.get("logprob_sum").doubleValue();
            tokens += line.get("tokens").longValue();
        }
        JsonNode metrics = scorecard().at("/suites/perplexity/metrics");
        // The same numbers, added in the same order.
        assertThat(metrics.at("/perplexity/value").doubleValue()).isCloseTo(Math.exp(-sum / tokens), within(1e-9));
        assertThat(metrics.at("/perplexity/low").doubleValue())
                .isLessThan(metrics.at("/perplexity/value").doubleValue());
        assertThat(metrics.at("/nats_per_token/total").longValue()).isEqualTo(tokens);
    }

    @Test
    void shotsStandBeforeTheQuestion() throws IOException {
        Path shots = TinyModel.rows(folder.resolve("shots.jsonl"), 2);
        Path data = write("ifeval.jsonl", IFEVAL);
        String[] common = {
            "--suite",
            "ifeval",
            "--data",
            data.toString(),
            "--model",
            tiny.packaged().toString()
        };
        assertThat(eval(concat(
                        common, "--few_shot", "2", "--few_shot_data", shots.toString(), "--max_new_tokens", "4")))
                .isEqualTo(ExitCode.OK);
        Files.move(out(), folder.resolve("with"));
        assertThat(eval(concat(common, "--max_new_tokens", "4", "--chat_template", "false")))
                .isEqualTo(ExitCode.OK);
        assertThat(Files.readString(out().resolve("ifeval.jsonl")))
                .isNotEqualTo(Files.readString(folder.resolve("with/ifeval.jsonl")));
        assertThat(eval(concat(common, "--few_shot", "1"))).isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("--few_shot_data: expected a file of answered questions, got none");
    }

    @Test
    void aPromptThatIsTooLongCountsAsWrong() throws IOException {
        Path data = write(
                "ifeval.jsonl",
                "{\"key\": 1, \"prompt\": \"" + "w5 ".repeat(80)
                        + "\", \"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{}]}\n" + IFEVAL);
        assertThat(eval(
                        "--suite",
                        "ifeval",
                        "--data",
                        data.toString(),
                        "--model",
                        tiny.packaged().toString(),
                        "--max_new_tokens",
                        "2"))
                .isEqualTo(ExitCode.OK);
        assertThat(scorecard().at("/suites/ifeval/too_long").intValue()).isEqualTo(1);
        assertThat(lines("ifeval").get(0).get("strict").toString()).isEqualTo("[false]");
        assertThat(said()).contains("1 question too long for the model's context, counted as wrong");
    }

    @Test
    void wrongUsageIsToldAtOnce() {
        assertThat(eval("--suite", "igsm,chess,humaneval", "--limit", "0")).isEqualTo(ExitCode.USAGE);
        assertThat(said())
                .contains("--suite: expected some of igsm, ifeval, ")
                .contains("got chess")
                .contains("--model: expected either it or --responses, got neither")
                .contains("--data: expected a file or folder for igsm, got none")
                .contains(
                        "--allow_code_execution: expected true, for humaneval runs code that a model wrote, got false")
                .contains("--limit: expected 1 or more, got 0");
        assertThat(out()).doesNotExist();
    }

    @Test
    void malformedDataAreToldBeforeAnythingIsWritten() throws IOException {
        Path data = write("ifeval.jsonl", IFEVAL + "{\"key\": 5}\n");
        assertThat(eval(
                        "--suite",
                        "ifeval",
                        "--data",
                        data.toString(),
                        "--model",
                        tiny.packaged().toString()))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).contains("error: " + data + ":4: instruction_id_list: expected a list, got none");
        assertThat(out()).doesNotExist();
    }

    @Test
    void anOutputFolderThatIsTakenIsLeftAlone() throws IOException {
        Files.createDirectories(out());
        Files.writeString(out().resolve("mine"), "x");
        assertThat(eval("--suite", "countdown", "--model", tiny.packaged().toString()))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).contains("--out: expected a new or empty folder");
        assertThat(out().resolve("mine")).hasContent("x");
    }
}
