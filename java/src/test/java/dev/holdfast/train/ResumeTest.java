package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.Job;
import dev.holdfast.config.SnapshotMode;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResumeTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static TrainingConfig resumed(TrainingConfig config) {
        return config.with(ConfigKeys.RESUME, true);
    }

    private TrainingConfig at(String name, TrainingConfig config) {
        return config.with(ConfigKeys.OUT, folder.resolve(name));
    }

    /** Runs a job without and with interruptions after the given steps of each session; both must leave the same. */
    private void assertResumeEqualsUninterrupted(TrainingConfig config, int... sessions) {
        Path whole = TinyRuns.run(at("whole", config)).run();
        TrainingConfig broken = at("broken", config);
        for (int steps : sessions) {
            TrainingOutcome stopped = TinyRuns.stopAfter(steps, resumed(broken));
            assertThat(stopped.finished()).isFalse();
            assertThat(stopped.checkpoint()).contains(broken.out().resolve("checkpoint-" + stopped.step()));
        }
        TrainingOutcome end = TinyRuns.run(resumed(broken));
        assertThat(end.finished()).isTrue();
        String last = "checkpoint-" + end.step();
        TinyRuns.assertSameFiles(broken.out().resolve(last), whole.resolve(last));
        TinyRuns.assertSameMetrics(broken.out(), whole);
        if (Files.exists(whole.resolve("ledger.jsonl"))) {
            assertThat(broken.out().resolve("ledger.jsonl")).hasSameBinaryContentAs(whole.resolve("ledger.jsonl"));
        }
    }

    @Test
    void supervisedFineTuningContinuesBitForBit() {
        assertResumeEqualsUninterrupted(runs.sft(folder), 1, 6);
    }

    @ParameterizedTest
    @CsvSource({"MODEL, true", "MODEL, false", "CURRENT, false"})
    void anchoredRunsContinueBitForBitWithinAndAcrossIterations(SnapshotMode snapshot, boolean restart) {
        TrainingConfig config = runs.anchor(folder)
                .with(ConfigKeys.SNAPSHOT, snapshot)
                .with(ConfigKeys.RESTART_OPTIMIZER, restart)
                .with(ConfigKeys.WARMUP_RATIO, 0.3);
        assertResumeEqualsUninterrupted(config, 6, 4);
    }

    @Test
    void aRunThatDiesLosesOnlyTheStepsSinceItsLastCheckpoint() {
        TrainingConfig config = runs.sft(folder).with(ConfigKeys.SAVE_STEPS, 4L);
        Path whole = TinyRuns.run(at("whole", config)).run();
        TrainingConfig broken = at("broken", config);
        TinyRuns.dieAfter(7, broken);
        assertThat(TinyRuns.metrics(broken.out())).hasSize(7);
        TrainingOutcome end = TinyRuns.run(resumed(broken));
        TinyRuns.assertSameFiles(end.checkpoint().orElseThrow(), whole.resolve("checkpoint-12"));
        TinyRuns.assertSameMetrics(broken.out(), whole);
    }

    @Test
    void aRunThatDiedBeforeItsFirstCheckpointBeginsAnew() {
        Path whole = TinyRuns.run(at("whole", runs.sft(folder))).run();
        TrainingConfig broken = at("broken", runs.sft(folder));
        TinyRuns.dieAfter(3, broken);
        assertThat(TinyRuns.checkpoints(broken.out())).isEmpty();
        TrainingOutcome end = TinyRuns.run(resumed(broken));
        TinyRuns.assertSameFiles(end.checkpoint().orElseThrow(), whole.resolve("checkpoint-12"));
        TinyRuns.assertSameMetrics(broken.out(), whole);
    }

    @ParameterizedTest
    @ValueSource(strings = {"run.json", "config.yaml", "tokenizer.json"})
    void aRunThatDiedWhileItsFolderWasMadeBeginsAnew(String missing) throws IOException {
        TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 2L);
        TinyRuns.dieAfter(1, config);
        Files.delete(config.out().resolve("run.json"));
        Files.deleteIfExists(config.out().resolve(missing));
        assertThat(TinyRuns.run(resumed(config)).finished()).isTrue();
        assertThat(config.out().resolve(missing)).exists();
    }

    @Test
    void aFolderThatHoldsNoRunIsRefusedAndLeftAsItIs() throws IOException {
        Path other = Files.createDirectories(folder.resolve("other"));
        Path download = Files.writeString(other.resolve("film.partial"), "half");
        Path checkpoint = Files.createDirectories(other.resolve("checkpoint-5")).resolve("checkpoint");
        Files.writeString(checkpoint, "of other artifacts");
        assertThatThrownBy(() -> TinyRuns.run(resumed(runs.sft(other))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(other + ": expected a run to resume");
        assertThat(download).exists();
        assertThat(checkpoint).exists();
    }

    @Test
    void resumingAFinishedRunChangesNothing() {
        Path run = TinyRuns.run(runs.anchor(folder.resolve("run"))).run();
        List<?> metrics = TinyRuns.metrics(run);
        TrainingOutcome again = TinyRuns.run(resumed(runs.anchor(run)));
        assertThat(again.finished()).isTrue();
        assertThat(again.last()).isEqualTo(Optional.empty());
        assertThat(TinyRuns.metrics(run)).isEqualTo(metrics);
        assertThat(TinyRuns.lines(run.resolve("ledger.jsonl"))).hasSize(3);
    }

    @Test
    void halfWrittenCheckpointsAreNeverReadAndWhatIsNotOurOwnIsSetAside() throws IOException {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(3, config);
        Path run = config.out();
        Files.createDirectories(run.resolve("checkpoint-5.partial"));
        Files.write(run.resolve("checkpoint-5.partial/checkpoint"), new byte[10]);
        Files.createDirectories(run.resolve("checkpoint-12"));
        Files.write(run.resolve("checkpoint-12/checkpoint"), new byte[10]);
        assertThat(TinyRuns.run(resumed(config)).finished()).isTrue();
        assertThat(TinyRuns.checkpoints(run)).containsExactly("checkpoint-12", "checkpoint-12.damaged", "checkpoint-3");
        assertThat(run.resolve("checkpoint-12/model.json")).exists();
    }

    @ParameterizedTest
    @CsvSource({
        "1, checkpoint-6 checkpoint-9, checkpoint-18",
        "2, checkpoint-6 checkpoint-8 checkpoint-9, checkpoint-17 checkpoint-18",
        "4, checkpoint-6 checkpoint-7 checkpoint-8 checkpoint-9, checkpoint-15 checkpoint-16 checkpoint-17 checkpoint-18"
    })
    void theNewestCheckpointsStayAndTheSnapshotAsLongAsItIsNeeded(long limit, String underWay, String atTheEnd) {
        TrainingConfig config = runs.anchor(folder.resolve("run"))
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.SAVE_TOTAL_LIMIT, limit);
        TinyRuns.dieAfter(10, config);
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly(underWay.split(" "));
        assertThat(TinyRuns.run(resumed(config)).finished()).isTrue();
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly(atTheEnd.split(" "));
    }

    @Test
    void aRunThatIsStoppedKeepsTheSnapshotThatItGoesOnWith() {
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.SAVE_TOTAL_LIMIT, 1L);
        TinyRuns.stopAfter(8, config);
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-6", "checkpoint-8");
    }

    private static void flipABit(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    /** Resumes, with the warnings that were given. */
    private static List<String> warnings(TrainingConfig config) {
        List<String> warnings = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void warned(String problem) {
                warnings.add(problem);
            }
        };
        Examples train = Examples.jsonLines(config.dataTrain());
        assertThat(Trainer.run(resumed(config), train, Optional.empty(), listener, () -> false)
                        .finished())
                .isTrue();
        return warnings;
    }

    @Test
    void aDamagedCheckpointIsSetAsideAndTheRunContinuesFromAnOlderOne() throws IOException {
        TrainingConfig config = runs.sft(folder).with(ConfigKeys.SAVE_STEPS, 4L);
        Path whole = TinyRuns.run(at("whole", config)).run();
        TrainingConfig broken = at("broken", config);
        TinyRuns.dieAfter(10, broken);
        Path damaged = broken.out().resolve("checkpoint-8");
        flipABit(damaged.resolve("checkpoint"));
        assertThat(warnings(broken)).singleElement().satisfies(warning -> assertThat(warning)
                .startsWith(damaged.resolve("checkpoint") + ": corrupt: expected SHA-256 ")
                .endsWith("The run continues from " + broken.out().resolve("checkpoint-4") + "; checkpoint-8 is now "
                        + damaged + ".damaged"));
        assertThat(TinyRuns.checkpoints(broken.out()))
                .containsExactly("checkpoint-12", "checkpoint-4", "checkpoint-8", "checkpoint-8.damaged");
        TinyRuns.assertSameFiles(broken.out().resolve("checkpoint-12"), whole.resolve("checkpoint-12"));
        TinyRuns.assertSameMetrics(broken.out(), whole);
    }

    @Test
    void aRunWhoseSnapshotIsDamagedContinuesFromBeforeIt() throws IOException {
        TrainingConfig config = runs.anchor(folder).with(ConfigKeys.SAVE_STEPS, 2L);
        Path whole = TinyRuns.run(at("whole", config)).run();
        TrainingConfig broken = at("broken", config);
        TinyRuns.dieAfter(9, broken);
        Path damaged = broken.out().resolve("checkpoint-6/checkpoint");
        Files.write(damaged, new byte[10]);
        assertThat(warnings(broken)).hasSize(2).allSatisfy(warning -> assertThat(warning)
                .startsWith(damaged + ": offset 10: truncated: expected ")
                .contains("The run continues from " + broken.out().resolve("checkpoint-4")));
        TinyRuns.assertSameFiles(broken.out().resolve("checkpoint-18"), whole.resolve("checkpoint-18"));
        TinyRuns.assertSameMetrics(broken.out(), whole);
        assertThat(broken.out().resolve("ledger.jsonl")).hasSameBinaryContentAs(whole.resolve("ledger.jsonl"));
    }

    @Test
    void anEvaluationThatADeadProcessMissedIsMadeUp() {
        TrainingConfig config =
                runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 4L).with(ConfigKeys.DATA_EVAL, runs.rows());
        TinyRuns.stopAfter(4, config.with(ConfigKeys.SAVE_STEPS, 1L));
        TinyRuns.run(resumed(config));
        assertThat(TinyRuns.lines(config.out().resolve("eval.jsonl"))
                        .get(0)
                        .get("eval_loss")
                        .asDouble())
                .isPositive();
        TinyRuns.run(resumed(config));
        assertThat(TinyRuns.metrics(config.out())).hasSize(4);
        assertThat(TinyRuns.lines(config.out().resolve("eval.jsonl"))).hasSize(1);
    }

    @Test
    void settingsThatChangeWhatIsLearntAreRefusedByName() {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        TrainingConfig changed =
                resumed(config).with(ConfigKeys.LEARNING_RATE, 1e-3).with(ConfigKeys.SEED, 1L);
        assertThatThrownBy(() -> TinyRuns.run(changed))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("learning_rate: expected 0.003")
                .hasMessageContaining("seed: expected 42")
                .hasMessageContaining("got 1");
        assertThat(TinyRuns.run(resumed(config).with(ConfigKeys.SAVE_STEPS, 2L)).finished())
                .isTrue();
    }

    @Test
    void settingsOfAJobOfStagesThatChangeWhatIsLearntAreRefusedByName() {
        TrainingConfig config = runs.sft(folder.resolve("run")).as(Job.FINETUNE);
        Trainer.runStages(config, stages -> stages);
        Trainer.runStages(resumed(config).with(ConfigKeys.SAVE_STEPS, 2L), stages -> stages);
        assertThatThrownBy(() -> Trainer.runStages(resumed(config).with(ConfigKeys.ALPHA, 0.25), stages -> stages))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining(
                        "alpha: expected 0.5 as in " + config.out().resolve("config.yaml") + ", got 0.25");
    }

    @Test
    void otherRowsAreRefused() {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        Path fewer = TinyModel.rows(folder.resolve("fewer.jsonl"), TinyRuns.ROWS - 1);
        assertThatThrownBy(() -> TinyRuns.run(resumed(config).with(ConfigKeys.DATA_TRAIN, fewer)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("data.train")
                .hasMessageContaining(fewer.toString());
    }

    @Test
    void anotherArtifactIsRefused() {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        Path other = TinyModel.export("llama3", folder.resolve("other")).path();
        assertThatThrownBy(() -> TinyRuns.run(resumed(config).with(ConfigKeys.ARTIFACT, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("artifact")
                .hasMessageContaining(other.toString());
    }

    @Test
    void anotherReferenceIsRefused() {
        TrainingConfig config = runs.anchor(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        Path other = runs.artifact().path();
        assertThatThrownBy(() -> TinyRuns.run(resumed(config).with(ConfigKeys.REFERENCE, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("reference")
                .hasMessageContaining(other.toString());
    }
}
