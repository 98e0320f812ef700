package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.artifact.ModelFolder;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.NonFiniteLossException;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.files.StagedDirectory;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunFailureTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static ThrowingCallable running(TrainingConfig config) {
        return () -> TinyRuns.run(config);
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Two steps that are taken, the second of which ruins the weights. */
    private TrainingConfig diverging(long saveTotalLimit) {
        return runs.sft(folder.resolve("run"))
                .with(ConfigKeys.LEARNING_RATE, 1e30)
                .with(ConfigKeys.WARMUP_RATIO, 0.5)
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.SAVE_TOTAL_LIMIT, saveTotalLimit);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2})
    void aLossThatIsNotFiniteEndsTheRunAndLeavesTheGoodCheckpointAsTheLatest(long limit) {
        TrainingConfig config = diverging(limit);
        Path good = config.out().resolve("checkpoint-1");
        Path bad = config.out().resolve("checkpoint-2");
        assertThatThrownBy(running(config))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining("step 3: loss is ")
                .hasMessageContaining("learning_rate")
                .hasMessageContaining("Last good checkpoint: " + good + "; " + bad + " is not: it is now " + bad
                        + ".diverged; try a lower learning rate");
        assertThat(TinyRuns.metrics(config.out())).hasSize(2);
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-1", "checkpoint-2.diverged");
        assertThat(ModelFolder.resolve(config.out()).path()).isEqualTo(good);
    }

    @Test
    void aResumedRunBeginsAtTheCheckpointThatWasCalledGood() {
        TrainingConfig config = diverging(0);
        assertThatThrownBy(running(config)).isInstanceOf(NonFiniteLossException.class);
        AtomicInteger firstStep = new AtomicInteger();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void planned(TrainingPlan plan) {
                firstStep.set(plan.firstStep());
            }
        };
        TrainingConfig resumed = config.with(ConfigKeys.RESUME, true);
        assertThatThrownBy(() ->
                        Trainer.run(resumed, Examples.jsonLines(runs.rows()), Optional.empty(), listener, () -> false))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining(
                        config.out().resolve("checkpoint-2.diverged-2").toString());
        assertThat(firstStep).hasValue(1);
    }

    /** A model without a norm that takes huge weights back: their logits overflow. */
    private TinyRuns overflowing() {
        return new TinyRuns("gpt2", folder.resolve("gpt2"));
    }

    @Test
    void weightsThatTheLastStepRuinedAreNotSaved() {
        TinyRuns gpt2 = overflowing();
        TrainingConfig config = gpt2.sft(folder.resolve("run"))
                .with(ConfigKeys.LEARNING_RATE, 1e30)
                .with(ConfigKeys.MAX_STEPS, 2L);
        assertThatThrownBy(running(config))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining("after step 2: loss is NaN. Last good checkpoint: none yet, the artifact "
                        + gpt2.artifact().path());
        assertThat(TinyRuns.checkpoints(config.out())).isEmpty();
    }

    @Test
    void weightsThatAreNotFiniteAreNotSaved() {
        TrainingConfig config = runs.sft(folder.resolve("run"))
                .with(ConfigKeys.LEARNING_RATE, 1e39)
                .with(ConfigKeys.SAVE_STEPS, 1L);
        assertThatThrownBy(running(config))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining(
                        "step 2: the norm of the weights is Infinity after the update. Last good checkpoint: "
                                + config.out().resolve("checkpoint-1"));
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-1");
    }

    @Test
    void aLossOnHeldOutRowsThatIsNotFiniteSetsTheCheckpointAside() {
        TinyRuns gpt2 = overflowing();
        TrainingConfig config = gpt2.sft(folder.resolve("run"))
                .with(ConfigKeys.LEARNING_RATE, 1e30)
                .with(ConfigKeys.SAVE_STEPS, 1L)
                .with(ConfigKeys.EVAL_STEPS, 1L)
                .with(ConfigKeys.DATA_EVAL, gpt2.rows());
        assertThatThrownBy(running(config))
                .isInstanceOf(NonFiniteLossException.class)
                .hasMessageContaining("after step 2: loss on the held-out rows is NaN. Last good checkpoint: "
                        + config.out().resolve("checkpoint-1") + "; ");
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-1", "checkpoint-2.diverged");
    }

    @Test
    void aRequestToStopLeavesACheckpoint() {
        TrainingOutcome outcome = TinyRuns.stopAfter(2, runs.sft(folder.resolve("run")));
        assertThat(outcome.finished()).isFalse();
        assertThat(outcome.step()).isEqualTo(2);
        assertThat(outcome.checkpoint()).contains(folder.resolve("run/checkpoint-2"));
        assertThat(outcome.last().map(StepMetrics::step)).contains(2);
    }

    @Test
    void aRequestToStopBeforeTheFirstStepLeavesNothingToResumeFrom() {
        TrainingOutcome outcome = TinyRuns.stopAfter(0, runs.sft(folder.resolve("run")));
        assertThat(outcome.finished()).isFalse();
        assertThat(outcome.checkpoint()).isEqualTo(Optional.empty());
    }

    @Test
    void aFolderThatHoldsARunIsNotTouched() {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        assertThatThrownBy(running(config))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(config.out() + ": holds a run already")
                .hasMessageContaining("--resume");
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-2");
        assertThat(TinyRuns.metrics(config.out())).hasSize(2);
    }

    @Test
    void aFolderWithOtherFilesIsNotTouched() throws IOException {
        Files.writeString(folder.resolve("diary.txt"), "mine");
        assertThatThrownBy(running(runs.sft(folder)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(folder + ": is not empty");
    }

    private List<Path> artifactFiles() throws IOException {
        try (Stream<Path> tree = Files.walk(runs.artifact().path())) {
            return tree.filter(Files::isRegularFile).toList();
        }
    }

    private Path damagedCopy(Path file, byte[] content) throws IOException {
        Path copy = folder.resolve("copy");
        StagedDirectory.deleteTree(copy);
        copyTree(runs.artifact().path(), copy);
        return Files.write(copy.resolve(runs.artifact().path().relativize(file)), content);
    }

    @Test
    void everyTruncatedFileOfAnArtifactIsRefusedWithTheOffset() throws IOException {
        for (Path file : artifactFiles()) {
            byte[] bytes = Files.readAllBytes(file);
            Path damaged = damagedCopy(file, Arrays.copyOf(bytes, bytes.length - 1));
            assertThatThrownBy(
                            running(runs.sft(folder.resolve("run")).with(ConfigKeys.ARTIFACT, folder.resolve("copy"))))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining(damaged.toString())
                    .hasMessageMatching("(?s).*(offset " + (bytes.length - 1) + ": truncated|not JSON: line).*");
            assertThat(folder.resolve("run")).doesNotExist();
        }
    }

    @Test
    void everyFileOfAnArtifactWithAFlippedBitIsRefused() throws IOException {
        for (Path file : artifactFiles()) {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Path damaged = damagedCopy(file, bytes);
            TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.ARTIFACT, folder.resolve("copy"));
            assertThatThrownBy(running(config))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining(damaged + ": ")
                    .hasMessageMatching("(?s).*: (corrupt: expected |not JSON).*");
            assertThat(folder.resolve("run")).doesNotExist();
        }
    }

    @Test
    void aMissingFileOfAnArtifactIsNamed() throws IOException {
        copyTree(runs.artifact().path(), folder.resolve("copy"));
        Files.delete(folder.resolve("copy/anchor_training_model.onnx"));
        assertThatThrownBy(running(runs.sft(folder.resolve("run")).with(ConfigKeys.ARTIFACT, folder.resolve("copy"))))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining("anchor_training_model.onnx: cannot be read: no such file");
    }

    @Test
    void aTruncatedCheckpointThatIsTheOnlyOneIsRefusedOnResume() throws IOException {
        TrainingConfig config = runs.sft(folder.resolve("run"));
        TinyRuns.stopAfter(2, config);
        Path checkpoint = config.out().resolve("checkpoint-2/checkpoint");
        byte[] bytes = Files.readAllBytes(checkpoint);
        Files.write(checkpoint, Arrays.copyOf(bytes, bytes.length - 1000));
        assertThatThrownBy(running(config.with(ConfigKeys.RESUME, true)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage(
                        config.out() + ": resume: expected a checkpoint that is whole, got none: " + checkpoint
                                + ": offset " + (bytes.length - 1000) + ": truncated: expected " + bytes.length
                                + " bytes, got " + (bytes.length - 1000)
                                + "; copy it again, or use another checkpoint of the run; or begin the run anew in another folder");
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-2");
        assertThat(TinyRuns.metrics(config.out())).hasSize(2);
    }

    @Test
    void aReferenceWithAnotherNumberOfTokensIsRefused() throws IOException {
        Path manifest = runs.artifact().path().resolve("manifest.json");
        Path other = folder.resolve("other");
        copyTree(runs.artifact().path(), other);
        Files.writeString(
                other.resolve("manifest.json"),
                Files.readString(manifest)
                        .replaceFirst("(\"vocabulary_size\" : )\\d+", "$1128")
                        .replaceFirst(",\\s*\"digest\" : \"[0-9a-f]{64}\"", ""));
        assertThatThrownBy(running(runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(other + ": vocabulary: expected 96 tokens")
                .hasMessageContaining("got 128");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void aReferenceWhoseTokensMeanSomethingElseIsRefused() throws IOException {
        Path source = TinyModel.source("llama", folder.resolve("source"));
        Path tokenizer = source.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"w5\"", "\"five\""));
        Path other = Exporter.of(source).export(folder.resolve("other")).path();
        assertThatThrownBy(running(runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(other.resolve("tokenizer.json") + ": vocabulary");
    }

    private Path exportWith(String name, String tokens, String replacement) throws IOException {
        Path source = TinyModel.source("llama", folder.resolve(name + "-source"));
        Path tokenizer = source.resolve("tokenizer.json");
        String text = Files.readString(tokenizer);
        assertThat(text).contains(tokens);
        Files.writeString(tokenizer, text.replace(tokens, replacement));
        return Exporter.of(source).export(folder.resolve(name)).path();
    }

    @Test
    void aReferenceWhoseAddedTokensDifferIsRefusedWithTheFirstThatDoes() throws IOException {
        Path other = exportWith("other", "\"id\":2,\"content\":\"</s>\"", "\"id\":2,\"content\":\"<end>\"");
        assertThatThrownBy(running(runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage(other.resolve("tokenizer.json") + ": added_tokens: token 2: expected \"</s>\" as in "
                        + runs.artifact().path().resolve("tokenizer.json")
                        + ", got \"<end>\"; the reference must have the student's vocabulary");
    }

    @Test
    void aReferenceThatSplitsTextsAtItsAddedTokensInAnotherWayIsTaken() throws IOException {
        Path other = exportWith("other", "\"lstrip\":false", "\"lstrip\":true");
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, other);
        assertThat(TinyRuns.stopAfter(1, config).step()).isEqualTo(1);
    }

    @Test
    void aLengthBeyondTheModelsPositionsIsRefused() {
        assertThatThrownBy(running(runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_LENGTH, 100_000L)))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("max_length: expected at most 64");
    }

    /** As a full disk does, but without one: the name that the checkpoint is written under leads to a device that is always full. */
    @Test
    void aFullDiskHarmsNoEarlierCheckpoint() throws IOException {
        assumeThat(Path.of("/dev/full")).as("/dev/full, which only Linux has").exists();
        TrainingConfig config =
                runs.sft(folder.resolve("run")).with(ConfigKeys.SAVE_STEPS, 2L).with(ConfigKeys.MAX_STEPS, 6L);
        TinyRuns.stopAfter(2, config);
        Path metrics = config.out().resolve("metrics.jsonl");
        TrainingConfig resumed = config.with(ConfigKeys.RESUME, true);
        TrainingListener filling = new TrainingListener() {
            @Override
            public void planned(TrainingPlan plan) {
                replaceByFullDevice(metrics);
            }
        };
        assertThatThrownBy(() ->
                        Trainer.run(resumed, Examples.jsonLines(runs.rows()), Optional.empty(), filling, () -> false))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining(metrics + ": cannot be written: No space left on device");
        Files.delete(metrics);
        assertThat(TinyRuns.checkpoints(config.out())).containsExactly("checkpoint-2");
        assertThat(TinyRuns.run(resumed).finished()).isTrue();
    }

    private static void replaceByFullDevice(Path file) {
        try {
            Files.delete(file);
            Files.createSymbolicLink(file, Path.of("/dev/full"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCheckpointThatCannotBeWrittenHarmsNoEarlierOne() throws IOException {
        TrainingConfig config =
                runs.sft(folder.resolve("run")).with(ConfigKeys.SAVE_STEPS, 2L).with(ConfigKeys.MAX_STEPS, 6L);
        TinyRuns.stopAfter(2, config);
        TrainingConfig resumed = config.with(ConfigKeys.RESUME, true);
        Path obstacle = config.out().resolve("checkpoint-4.partial");
        TrainingListener blocking = new TrainingListener() {
            @Override
            public void stepped(StepMetrics metrics) {
                occupy(config.out().resolve("checkpoint-4"));
            }
        };
        assertThatThrownBy(() ->
                        Trainer.run(resumed, Examples.jsonLines(runs.rows()), Optional.empty(), blocking, () -> false))
                .isInstanceOf(HoldfastException.class)
                .hasMessageContaining("checkpoint-4");
        assertThat(obstacle).doesNotExist();
        assertThat(config.out().resolve("checkpoint-2/model.json")).exists();
        assertThat(TinyRuns.run(resumed).finished()).isTrue();
    }

    private static void occupy(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("file"), "in the way");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
