package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.testing.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Budgets of an iteration and of the whole run, from end to end. */
class DriftBudgetTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static List<JsonNode> ledger(Path run) {
        return TinyRuns.lines(run.resolve("ledger.jsonl"));
    }

    private static double[] column(List<JsonNode> lines, String key) {
        return lines.stream().mapToDouble(line -> line.get(key).asDouble()).toArray();
    }

    @Test
    void theBudgetOfAnIterationChoosesTheLargestWeightWithin() {
        Path free = TinyRuns.run(runs.anchor(folder.resolve("free"))).run();
        double budget = 0.2 * column(ledger(free), "kl_bound")[0];
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.KL_BUDGET, budget);
        Path run = TinyRuns.run(config).run();
        List<JsonNode> chosen = TinyRuns.lines(run.resolve("alpha.jsonl"));
        assertThat(column(chosen, "step")).containsExactly(0, 6, 12);
        for (JsonNode line : chosen) {
            assertThat(line.get("kl_snapshot_anchor").asDouble()).isLessThanOrEqualTo(budget);
        }
        assertThat(column(chosen, "alpha")[0]).isBetween(0.1, 0.5);
        assertThat(column(ledger(run), "alpha")).isEqualTo(column(chosen, "alpha"));
        assertThat(column(ledger(run), "kl_step")[0]).isLessThan(column(ledger(free), "kl_step")[0]);
    }

    @Test
    void aRunThatIsResumedKeepsTheWeightThatWasChosen() {
        TrainingConfig config = runs.anchor(folder.resolve("whole")).with(ConfigKeys.KL_BUDGET, 0.01);
        Path whole = TinyRuns.run(config).run();
        TrainingConfig parted = config.with(ConfigKeys.OUT, folder.resolve("parted"));
        TinyRuns.stopAfter(8, parted);
        Path resumed = TinyRuns.run(parted.with(ConfigKeys.RESUME, true)).run();
        assertThat(resumed.resolve("alpha.jsonl")).hasSameTextualContentAs(whole.resolve("alpha.jsonl"));
        TinyRuns.assertSameFiles(resumed.resolve("checkpoint-18"), whole.resolve("checkpoint-18"));
    }

    @Test
    void theBudgetOfTheRunEndsItWithTheLastModelWithin() {
        TrainingConfig measured = runs.anchor(folder.resolve("free"))
                .with(ConfigKeys.DATA_EVAL, runs.rows())
                .with(ConfigKeys.EVAL_STEPS, 2L);
        double[] drift = column(ledger(TinyRuns.run(measured).run()), "kl_total");
        assertThat(drift).hasSize(9).as("this much drifts").satisfies(all -> assertThat(all[8])
                .isGreaterThan(all[3]));
        // Between the fourth and the fifth measurement, in the second iteration; checkpoints of every step come and go.
        double budget = (drift[3] + drift[4]) / 2;
        TrainingConfig config = measured.with(ConfigKeys.OUT, folder.resolve("run"))
                .with(ConfigKeys.KL_TOTAL_BUDGET, budget)
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.SAVE_TOTAL_LIMIT, 1L);
        TrainingOutcome outcome = TinyRuns.run(config);
        int last = firstAbove(drift, budget);
        assertThat(outcome.finished()).isFalse();
        assertThat(outcome.breach()).contains(new BudgetBreach(2 * (last + 1), "kl_total_budget", budget, drift[last]));
        assertThat(outcome.checkpoint()).contains(outcome.run().resolve("checkpoint-" + 2 * last));
        assertThat(ModelFolder.open(outcome.run()).path())
                .isEqualTo(outcome.checkpoint().orElseThrow());
        assertThat(outcome.run().resolve("checkpoint-" + 2 * (last + 1) + ".over-budget"))
                .exists();
        assertThat(outcome.run().resolve("status.json"))
                .content()
                .contains("over_budget", "the last one within is checkpoint-" + 2 * last);
    }

    private static int firstAbove(double[] drift, double budget) {
        for (int i = 0; i < drift.length; i++) {
            if (drift[i] > budget) {
                return i;
            }
        }
        throw new AssertionError("expected a drift above " + budget);
    }

    @Test
    void aLargerBudgetLetsTheRunGoOnToTheSameBits() {
        TrainingConfig config = runs.anchor(folder.resolve("whole"));
        Path whole = TinyRuns.run(config).run();
        double[] drift = column(ledger(whole), "kl_total");
        TrainingConfig bounded = config.with(ConfigKeys.OUT, folder.resolve("bounded"))
                .with(ConfigKeys.KL_TOTAL_BUDGET, (drift[0] + drift[1]) / 2);
        assertThat(TinyRuns.run(bounded).checkpoint().orElseThrow()).hasFileName("checkpoint-6");
        TrainingOutcome resumed =
                TinyRuns.run(bounded.with(ConfigKeys.KL_TOTAL_BUDGET, 1e3).with(ConfigKeys.RESUME, true));
        assertThat(resumed.finished()).isTrue();
        TinyRuns.assertSameFiles(resumed.run().resolve("checkpoint-18"), whole.resolve("checkpoint-18"));
    }

    @Test
    void aBudgetThatTheFirstIterationExceedsLeavesTheBase() {
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.KL_TOTAL_BUDGET, 1e-9);
        TrainingOutcome outcome = TinyRuns.run(config);
        assertThat(outcome.breach()).isPresent();
        assertThat(outcome.checkpoint()).isEqualTo(Optional.empty());
    }

    @Test
    void theBudgetOfRetentionRowsCountsThoseAlone() {
        TrainingConfig config = runs.anchor(folder.resolve("run"))
                .with(ConfigKeys.DATA_RETENTION, TinyModel.rows(folder.resolve("keep.jsonl"), 6))
                .with(ConfigKeys.KL_TOTAL_BUDGET, 1e3)
                .with(ConfigKeys.KL_RETENTION_BUDGET, 1e-9);
        assertThat(TinyRuns.run(config).breach().orElseThrow().budget()).isEqualTo("kl_retention_budget");
        assertThat(Files.exists(config.out().resolve("report.html"))).isTrue();
    }
}
