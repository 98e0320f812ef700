package dev.holdfast.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.data.Example;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.GoldenTensors;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScorerTest {
    private static final SessionSettings SETTINGS = SessionSettings.defaults().withIntraOpThreads(1);
    private static final int PROMPT = 3;

    /** The project's target for log-probabilities against PyTorch. */
    private static final double TOLERANCE = 1e-4;

    @TempDir
    static Path directory;

    private static TinyModel tiny;

    @BeforeAll
    static void makeModel() {
        tiny = new TinyModel("llama", directory);
    }

    @Test
    void scoresOfAnArtifactAndOfItsPackageArePyTorchs() {
        GoldenTensors golden = tiny.tensors();
        List<int[]> rows = rows(golden.get("input_ids"));
        for (Path model : List.of(tiny.artifact(), tiny.packaged())) {
            try (Scorer scorer = Scorer.open(model, false, SETTINGS)) {
                List<RowScore> scores = new ArrayList<>();
                ScoreSummary summary = scorer.score(examples(rows), directory.resolve("scores.jsonl"), scores::add);
                for (int row = 0; row < rows.size(); row++) {
                    requirePyTorchs(golden, row, rows.get(row), scores.get(row));
                }
                assertThat(summary.rows()).isEqualTo(rows.size());
                assertThat(summary.cut()).isZero();
            }
        }
    }

    private static List<int[]> rows(HostTensor ids) {
        int length = (int) ids.shape().dimension(1);
        List<int[]> rows = new ArrayList<>();
        for (int row = 0; row < ids.shape().dimension(0); row++) {
            long[] all = Arrays.copyOfRange(ids.toLongArray(), row * length, (row + 1) * length);
            rows.add(Arrays.stream(all)
                    .takeWhile(id -> id != 0)
                    .mapToInt(id -> (int) id)
                    .toArray());
        }
        return rows;
    }

    private static Examples examples(List<int[]> rows) {
        return Examples.of(rows.stream().map(ScorerTest::example).toList());
    }

    private static Example example(int[] ids) {
        String prompt = TinyModel.text(Arrays.copyOf(ids, PROMPT));
        return new Example.PromptCompletion(prompt, " " + TinyModel.text(Arrays.copyOfRange(ids, PROMPT, ids.length)));
    }

    private static void requirePyTorchs(GoldenTensors golden, int row, int[] ids, RowScore score) {
        double[] logits = golden.doubles("logits");
        int vocabulary = (int) golden.get("logits").shape().dimension(2);
        int length = (int) golden.get("logits").shape().dimension(1);
        assertThat(score.index()).isEqualTo(row);
        assertThat(score.tokens()).isEqualTo(ids.length - PROMPT).isEqualTo(score.tokenLogprobs().length);
        double sum = 0;
        for (int place = PROMPT; place < ids.length; place++) {
            int from = (row * length + place - 1) * vocabulary;
            double normalizer = Math.log(Arrays.stream(logits, from, from + vocabulary)
                    .map(Math::exp)
                    .sum());
            double expected = logits[from + ids[place]] - normalizer;
            assertThat(score.tokenLogprobs()[place - PROMPT]).isCloseTo(expected, within(TOLERANCE));
            sum += expected;
        }
        assertThat(score.logprobSum()).isCloseTo(sum, within(TOLERANCE * ids.length));
    }

    @Test
    void everyRowHasItsLineEvenWithoutAResponse() throws IOException {
        Path data = Files.writeString(
                directory.resolve("rows.jsonl"),
                """
                {"prompt": "w5 w6", "completion": " w7 w8"}
                {"prompt": "w5 w6", "completion": ""}
                {"text": "w9 w10 w11"}
                """);
        Path out = directory.resolve("new/folder/scores.jsonl");
        try (Scorer scorer = Scorer.open(tiny.packaged(), false, SETTINGS)) {
            scorer.score(Examples.jsonLines(data), out, score -> {});
        }
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out)) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines).extracting(line -> line.get("index").asInt()).containsExactly(0, 1, 2);
        assertThat(lines).extracting(line -> line.get("tokens").asInt()).containsExactly(2, 0, 2);
        assertThat(lines).extracting(line -> line.get("token_logprobs").size()).containsExactly(2, 0, 2);
        assertThat(lines.get(1).get("logprob_sum").asDouble()).isZero();
    }

    @Test
    void theClosingTokenIsScoredUnlessToldOtherwise() {
        Examples rows = Examples.of(List.of(new Example.PromptCompletion("w5 w6", " w7 w8")));
        List<RowScore> scores = new ArrayList<>();
        for (boolean appendEos : new boolean[] {true, false}) {
            try (Scorer scorer = Scorer.open(tiny.artifact(), appendEos, SETTINGS)) {
                scorer.score(rows, directory.resolve("closing.jsonl"), scores::add);
            }
        }
        assertThat(scores).extracting(RowScore::tokens).containsExactly(3, 2);
        assertThat(Arrays.copyOf(scores.get(0).tokenLogprobs(), 2))
                .containsExactly(scores.get(1).tokenLogprobs());
    }

    @Test
    void rowsBeyondTheContextAreCutAndCounted() {
        int[] exact = new int[64];
        Arrays.setAll(exact, i -> 3 + i);
        int[] longer = Arrays.copyOf(exact, 70);
        Arrays.fill(longer, 64, 70, 5);
        for (Path model : List.of(tiny.artifact(), tiny.packaged())) {
            try (Scorer scorer = Scorer.open(model, false, SETTINGS)) {
                List<RowScore> scores = new ArrayList<>();
                ScoreSummary summary =
                        scorer.score(examples(List.of(exact, longer)), directory.resolve("cut.jsonl"), scores::add);
                assertThat(summary.cut()).isEqualTo(1);
                assertThat(scores.get(1).tokenLogprobs())
                        .containsExactly(scores.get(0).tokenLogprobs());
            }
        }
    }

    @Test
    void aBadRowLeavesNoFile() throws IOException {
        Path data = Files.writeString(directory.resolve("bad.jsonl"), "{\"text\": \"w5 w6\"}\n{\"text\": ");
        Path out = directory.resolve("bad-scores.jsonl");
        try (Scorer scorer = Scorer.open(tiny.packaged(), true, SETTINGS)) {
            assertThatThrownBy(() -> scorer.score(Examples.jsonLines(data), out, score -> {}))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("bad.jsonl:2");
        }
        assertThat(out).doesNotExist();
        assertThat(out.resolveSibling("bad-scores.jsonl.partial")).doesNotExist();
    }

    @Test
    void aFolderWithoutAModelIsRefused() {
        assertThatThrownBy(() -> Scorer.open(directory.resolve("nothing"), true, SETTINGS))
                .isInstanceOf(InvalidInputException.class);
    }
}
