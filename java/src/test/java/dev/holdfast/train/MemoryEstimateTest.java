package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.artifact.Manifest;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.testing.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryEstimateTest {
    @TempDir
    static Path shared;

    private static TinyRuns runs;

    @TempDir
    Path folder;

    @BeforeAll
    static void export() {
        runs = new TinyRuns("llama", shared);
    }

    private static MemoryEstimate estimate(TrainingConfig config) {
        return Trainer.plan(config, Examples.jsonLines(runs.rows()), TrainingSupport.NONE)
                .memory();
    }

    /** Weights, and the head once more. */
    private static long frozenBytes(ArtifactDirectory artifact) {
        Manifest.Model model = artifact.manifest().model();
        return Float.BYTES
                * (artifact.manifest().parameterCount() + (long) model.vocabularySize() * model.hiddenSize());
    }

    @Test
    void aReferenceCountsWithItsOwnSize() {
        ArtifactDirectory other = TinyModel.export("gpt2", folder.resolve("other"));
        long student = frozenBytes(runs.artifact());
        long reference = frozenBytes(other);
        assertThat(reference).isNotEqualTo(student);
        TrainingConfig config = runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, other.path());
        assertThat(estimate(config).frozenBytes()).isEqualTo(3 * student + reference);
        assertThat(estimate(config.with(ConfigKeys.OUTER_ITERATIONS, 1L)).frozenBytes())
                .isEqualTo(2 * student + reference);
    }

    @Test
    void theMomentsInAReferencesCheckpointDoNotCount() {
        assertThat(estimate(runs.anchor(folder.resolve("run"))).frozenBytes())
                .isEqualTo(4 * frozenBytes(runs.artifact()));
    }

    /** Beside its values, every tensor has a name, a shape and places of both in the file: fewer bytes than this. */
    private static final long DESCRIPTION_BYTES = 256;

    @Test
    void aCheckpointTakesWhatWeightsAndBothMomentsTake() throws IOException {
        TrainingConfig config = runs.sft(folder.resolve("run")).with(ConfigKeys.MAX_STEPS, 1L);
        Path checkpoint = TinyRuns.run(config).checkpoint().orElseThrow();
        long expected = estimate(config).checkpointBytes();
        int tensors = 3 * runs.artifact().manifest().parameters().size();
        assertThat(Files.size(checkpoint.resolve(ArtifactDirectory.CHECKPOINT)))
                .isBetween(expected, expected + tensors * DESCRIPTION_BYTES);
    }

    @Test
    void aTinyModelNeedsWhatJavaAndOnnxRuntimeNeed() {
        MemoryEstimate estimate = estimate(runs.sft(folder.resolve("run")));
        assertThat(estimate.totalBytes() >> 20).isBetween(240L, 260L);
    }
}
