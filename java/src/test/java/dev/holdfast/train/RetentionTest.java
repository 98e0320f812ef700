package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.testing.TinyModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run measures on the rows of {@code data.retention}. */
class RetentionTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("qwen2", shared);
    }

    private Path keep() {
        return TinyModel.rows(folder.resolve("keep.jsonl"), 6);
    }

    @Test
    void aSupervisedRunMeasuresTheLossOfItsRetentionRowsWhenItEvaluates() {
        TrainingConfig config = runs.sft(folder.resolve("run"))
                .with(ConfigKeys.DATA_RETENTION, keep())
                .with(ConfigKeys.EVAL_STEPS, 6L);
        Path run = TinyRuns.run(config).run();
        List<JsonNode> lines = TinyRuns.lines(run.resolve("retention.jsonl"));
        assertThat(lines).extracting(line -> line.get("step").asInt()).containsExactly(6, 12);
        for (JsonNode line : lines) {
            assertThat(line.get("retention_loss").asDouble()).isPositive();
            assertThat(line.get("retention_token_accuracy").asDouble()).isBetween(0.0, 1.0);
            assertThat(line.get("retention_response_tokens").asLong()).isPositive();
        }
        assertThat(run.resolve("eval.jsonl")).doesNotExist();
    }

    @Test
    void retentionRowsThatAreTheHeldOutRowsHaveTheirLoss() {
        Path keep = keep();
        TrainingConfig config =
                runs.sft(folder.resolve("run")).with(ConfigKeys.DATA_EVAL, keep).with(ConfigKeys.DATA_RETENTION, keep);
        Path run = TinyRuns.run(config).run();
        JsonNode retention = TinyRuns.lines(run.resolve("retention.jsonl")).get(0);
        JsonNode evaluation = TinyRuns.lines(run.resolve("eval.jsonl")).get(0);
        assertThat(retention.get("retention_loss")).isEqualTo(evaluation.get("eval_loss"));
        assertThat(retention.get("retention_token_accuracy")).isEqualTo(evaluation.get("eval_token_accuracy"));
        assertThat(retention.get("retention_response_tokens")).isEqualTo(evaluation.get("eval_response_tokens"));
    }

    @Test
    void theLedgerHasTheDriftOnRetentionRowsWhereThereAreAny() {
        Path keep = keep();
        TrainingConfig config = runs.anchor(folder.resolve("run"))
                .with(ConfigKeys.DATA_EVAL, keep)
                .with(ConfigKeys.DATA_RETENTION, keep);
        Path run = TinyRuns.run(config).run();
        List<JsonNode> ledger = TinyRuns.lines(run.resolve("ledger.jsonl"));
        assertThat(ledger).hasSize(3);
        for (JsonNode entry : ledger) {
            assertThat(entry.get("kl_total_retention").asDouble()).isPositive();
            // The same rows, and the same computation.
            assertThat(entry.get("kl_total_retention")).isEqualTo(entry.get("kl_total"));
        }
        Path without = TinyRuns.run(runs.anchor(folder.resolve("without"))).run();
        assertThat(TinyRuns.lines(without.resolve("ledger.jsonl")))
                .allSatisfy(entry -> assertThat(entry.has("kl_total_retention")).isFalse());
    }
}
