package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.report.Report;
import dev.holdfast.testing.Markup;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page that runs leave, made of what they really write. */
class RunReportTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static Markup page(Path run) {
        try {
            String text = Files.readString(run.resolve("report.html"));
            assertThat(text).as("needs nothing else").doesNotContain("<script", "src=", "@import", "url(");
            return Markup.of(text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private TrainingConfig measured(TrainingConfig config) {
        return config.with(ConfigKeys.DATA_EVAL, runs.rows())
                .with(ConfigKeys.DATA_RETENTION, TinyModel.rows(folder.resolve("keep.jsonl"), 6))
                .with(ConfigKeys.EVAL_STEPS, 4L);
    }

    @Test
    void anAnchoredRunShowsEveryCurveAndItsLedger() {
        Path run = TinyRuns.run(measured(runs.anchor(folder.resolve("run")))).run();
        Markup page = page(run);
        assertThat(page.text("h1")).contains("Anchored Learning");
        assertThat(page.text("div")).contains("The run is finished");
        assertThat(page.text("svg"))
                .contains(
                        "Training loss",
                        "Loss on rows not trained on",
                        "Token accuracy",
                        "Drift from the base",
                        "Step of each iteration",
                        "Distance from the snapshot",
                        "Learning rate",
                        "Gradient norm",
                        "Speed",
                        "Where the time went");
        List<JsonNode> ledger = TinyRuns.lines(run.resolve("ledger.jsonl"));
        // Evaluations at 4, 8, 12, 16, 18; ends of iterations at 6, 12, 18.
        assertThat(ledger).extracting(line -> line.get("step").asInt()).containsExactly(4, 6, 8, 12, 16, 18);
        assertThat(ledger)
                .extracting(line -> line.get("iteration_ended").asBoolean())
                .containsExactly(false, true, false, true, false, true);
        for (JsonNode line : ledger) {
            assertThat(page.text("td"))
                    .contains(String.format(
                            Locale.ROOT,
                            "%.4f",
                            line.get("kl_to_reference_reverse").asDouble()));
        }
    }

    @Test
    void aSupervisedRunMeasuresItsDriftWhereItEvaluates() {
        Path run = TinyRuns.run(measured(runs.sft(folder.resolve("run")))).run();
        List<JsonNode> ledger = TinyRuns.lines(run.resolve("ledger.jsonl"));
        assertThat(ledger).extracting(line -> line.get("step").asInt()).containsExactly(4, 8, 12);
        assertThat(ledger).allSatisfy(line -> {
            assertThat(line.has("kl_step")).isFalse();
            assertThat(line.get("kl_total").asDouble()).isPositive();
            assertThat(line.get("kl_total_retention_reverse").asDouble()).isPositive();
        });
        assertThat(page(run).text("svg")).contains("Drift from the base").doesNotContain("Step of each iteration");
        assertThat(TinyRuns.checkpoints(run))
                .as("what is measured alone leaves nothing")
                .containsExactly("checkpoint-12");
    }

    @Test
    void aRunThatWasInterruptedAndResumedIsOneCurve() {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(5, config);
        assertThat(page(config.out()).text("div")).contains("The run was interrupted");
        TinyRuns.run(config.with(ConfigKeys.RESUME, true));
        Markup page = page(config.out());
        assertThat(page.text("text")).contains("resumed");
        assertThat(page.text("p")).contains("12 of 12 steps are done");
    }

    @Test
    void aRunThatFailedSaysWhy() {
        TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.LEARNING_RATE, 1e30);
        assertThatThrownBy(() -> TinyRuns.run(config)).isInstanceOf(NonFiniteLossException.class);
        assertThat(page(config.out()).text("div")).contains("The run failed: ", "Last good checkpoint");
    }

    @Test
    void thePageCanBeMadeAgainFromWhateverIsLeft() throws IOException {
        Path run = TinyRuns.run(runs.sft(folder.resolve("run"))).run();
        Files.delete(run.resolve("status.json"));
        Files.delete(run.resolve("timing.jsonl"));
        Files.writeString(
                run.resolve("metrics.jsonl"), "{\"step\": 1, \"loss\": 2.5}\n{\"step\": 2, \"loss\": \"NaN\"}\n{\"st");
        Files.writeString(run.resolve("config.yaml"), "out: [</pre><script>alert(1)</script>");
        Report.write(run);
        assertThat(page(run).text("pre")).contains("<script>");
    }

    @Test
    void aFolderWithoutARunIsRefused() {
        assertThatThrownBy(() -> Report.write(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith(folder + ": expected the folder of a run");
    }
}
