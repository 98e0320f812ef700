package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.eval.Scorer;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.exporter.Packager;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.testing.TinyModel;
import dev.holdfast.weights.LoraConfig;
import dev.holdfast.weights.OrtCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs that train low-rank adapters. */
class LoraRunTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void exportModel() {
        runs = new TinyRuns("llama", shared);
    }

    private TrainingConfig sft(String name) {
        return lora(runs.sft(folder.resolve(name)));
    }

    private TrainingConfig anchor(String name, Path reference) {
        return lora(runs.anchor(folder.resolve(name))).with(ConfigKeys.REFERENCE, reference);
    }

    /** With dropout, the one thing whose draws a resumed run has to repeat. */
    private static TrainingConfig lora(TrainingConfig config) {
        return config.with(ConfigKeys.LORA_R, 4L)
                .with(ConfigKeys.LORA_DROPOUT, 0.2)
                .with(ConfigKeys.GRADIENT_ACCUMULATION_STEPS, 2L)
                .with(ConfigKeys.PER_DEVICE_TRAIN_BATCH_SIZE, 2L);
    }

    private static TrainingConfig resumed(TrainingConfig config) {
        return config.with(ConfigKeys.RESUME, true);
    }

    @Test
    void aRunThatIsStoppedOrKilledContinuesBitForBit() {
        TrainingConfig whole = sft("whole");
        TinyRuns.run(whole);
        TrainingConfig stopped = sft("stopped");
        TinyRuns.stopAfter(5, stopped);
        TinyRuns.run(resumed(stopped));
        TrainingConfig killed = sft("killed").with(ConfigKeys.SAVE_STEPS, 4L);
        TinyRuns.dieAfter(7, killed);
        TinyRuns.run(resumed(killed));

        for (TrainingConfig broken : List.of(stopped, killed)) {
            TinyRuns.assertSameFiles(
                    broken.out().resolve("checkpoint-12"), whole.out().resolve("checkpoint-12"));
            TinyRuns.assertSameMetrics(broken.out(), whole.out());
        }
        double[] losses = TinyRuns.column(whole.out(), "loss");
        assertThat(losses[11]).isLessThan(losses[0]);
    }

    @Test
    void aCheckpointHoldsAdaptersAndTheirMomentsAndSharesTheRest() throws IOException {
        Path run = TinyRuns.run(sft("run")).run();
        Path checkpoint = run.resolve("checkpoint-12");

        OrtCheckpoint trained = OrtCheckpoint.read(checkpoint.resolve("checkpoint"));
        assertThat(trained.trainable()).allMatch(tensor -> tensor.name().contains(".lora_"));
        assertThat(trained.frozen()).isEmpty();
        assertThat(trained.optimizerGroups().get(0).moments().keySet())
                .allMatch(name -> name.contains(".lora_"))
                .hasSameSizeAs(trained.trainable());
        assertThat(Files.isSameFile(checkpoint.resolve("base"), runs.artifact().checkpoint()))
                .as("the frozen weights are the artifact's, by a hard link")
                .isTrue();
        assertThat(ModelFolder.open(checkpoint).checkpoint().frozen())
                .hasSameSizeAs(OrtCheckpoint.read(runs.artifact().checkpoint()).trainable());
    }

    @Test
    void theFrozenWeightsAreNeverWritten() {
        var before = runs.artifact().manifest().files().get("checkpoint");
        TinyRuns.run(sft("run"));
        before.requireOf(runs.artifact().checkpoint(), "");
    }

    @Test
    void anAnchoredRunGoesTowardsAnAdapterAndContinuesBitForBit() {
        Path reference = TinyRuns.run(sft("reference").with(ConfigKeys.LEARNING_RATE, 1e-2))
                .run();
        TrainingConfig whole = anchor("whole", reference);
        TinyRuns.run(whole);
        TrainingConfig stopped = anchor("stopped", reference);
        TinyRuns.stopAfter(8, stopped);
        TinyRuns.run(resumed(stopped));

        TinyRuns.assertSameFiles(
                stopped.out().resolve("checkpoint-18"), whole.out().resolve("checkpoint-18"));
        List<JsonNode> ledger = TinyRuns.lines(whole.out().resolve("ledger.jsonl"));
        assertThat(ledger).hasSize(3);
        assertThat(ledger).allMatch(entry -> entry.get("kl_step").asDouble() > 0);
        assertThat(ledger.get(2).get("kl_to_reference").asDouble())
                .isLessThan(ledger.get(0).get("kl_to_reference").asDouble());
    }

    @Test
    void theReferenceOfAnAdapterMayBeAWholeModel() {
        TrainingOutcome outcome = TinyRuns.run(anchor("run", runs.reference()));
        assertThat(outcome.finished()).isTrue();
    }

    @Test
    void checkpointMergedModelAndBaseWithAdapterFindTheRowsEquallyLikely() {
        Path run = TinyRuns.run(sft("run")).run();
        Path merged = Packager.of(run).packageTo(folder.resolve("merged")).path();
        Path apart = Packager.of(run)
                .adaptersApart()
                .packageTo(folder.resolve("apart"))
                .path();

        double expected = natsPerToken(run);
        // Sums in another order: float32 on values of a few nats.
        assertThat(natsPerToken(merged)).isCloseTo(expected, within(1e-5));
        assertThat(natsPerToken(apart)).isCloseTo(expected, within(1e-5));
        assertThat(Math.abs(natsPerToken(runs.artifact().path()) - expected)).isGreaterThan(0.1);
    }

    private double natsPerToken(Path model) {
        try (Scorer scorer = Scorer.open(model, true, SessionSettings.defaults())) {
            return scorer.score(Examples.jsonLines(runs.rows()), folder.resolve("scores.jsonl"), row -> {})
                    .natsPerToken()
                    .getAsDouble();
        }
    }

    @Test
    void anArtifactThatWasExportedWithAdaptersNeedsNoKeysAndTakesNoOthers() {
        ArtifactDirectory artifact = Exporter.of(TinyModel.source("llama", folder.resolve("source")))
                .lora(LoraConfig.of(4))
                .export(folder.resolve("artifact"));
        TrainingConfig plain = runs.sft(folder.resolve("plain")).with(ConfigKeys.ARTIFACT, artifact.path());
        TrainingConfig same = runs.sft(folder.resolve("same"))
                .with(ConfigKeys.ARTIFACT, artifact.path())
                .with(ConfigKeys.LORA_R, 4L);
        TrainingConfig job = runs.sft(folder.resolve("job")).with(ConfigKeys.LORA_R, 4L);

        TinyRuns.run(plain);
        TinyRuns.run(same);
        TinyRuns.run(job);

        assertThat(same.out().resolve("checkpoint-12/checkpoint"))
                .hasSameBinaryContentAs(plain.out().resolve("checkpoint-12/checkpoint"));
        assertThat(job.out().resolve("checkpoint-12/checkpoint"))
                .as("the job's artifact begins with the same adapters")
                .hasSameBinaryContentAs(plain.out().resolve("checkpoint-12/checkpoint"));
        assertThatThrownBy(() -> TinyRuns.run(same.with(ConfigKeys.LORA_R, 8L)))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("lora_r: expected the adapters of " + artifact.path())
                .hasMessageContaining("r=4")
                .hasMessageContaining("r=8");
    }

    @Test
    void unknownLayersAreNamedBeforeAnythingIsWritten() {
        TrainingConfig config = sft("run").with(ConfigKeys.LORA_TARGET_MODULES, List.of("q_proj", "c_attn", "lm_head"));
        assertThatThrownBy(() -> TinyRuns.run(config))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("lora_target_modules: expected all-linear or names among q_proj, k_proj, v_proj, "
                        + "o_proj, gate_proj, up_proj, down_proj, got c_attn, lm_head");
        assertThat(config.out()).doesNotExist();
    }

    @Test
    void aResumedRunKeepsItsAdapters() {
        TrainingConfig config = sft("run");
        TinyRuns.stopAfter(2, config);
        assertThatThrownBy(() -> TinyRuns.run(resumed(config).with(ConfigKeys.LORA_R, 8L)))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("lora_r: expected 4");
    }

    @Test
    void aPlanCountsWhatIsTrainedAndADryRunLeavesNothing() throws IOException {
        TrainingConfig config = sft("run");
        Examples rows = Examples.jsonLines(runs.rows());
        TrainingPlan plan = Trainer.plan(config, rows, TinyRuns.SUPPORT);
        long full = runs.artifact().manifest().parameterCount();
        assertThat(plan.trainableCount()).isLessThan(full / 2);
        assertThat(plan.parameterCount()).isEqualTo(full + plan.trainableCount());
        assertThat(plan.memory().optimizerBytes()).isEqualTo(2 * Float.BYTES * plan.trainableCount());
        assertThat(Trainer.dryRun(config, rows, TinyRuns.SUPPORT).loss()).isPositive();
        assertThat(config.out()).doesNotExist();
        try (var left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }
}
