package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Batch;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.exporter.Packager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A packaged model as the reference of an anchored run. */
class DeployedReferenceTest {
    /** Two float32 graphs of one model, with and without a cache: hidden states of size 1 through two layers. */
    private static final double TOLERANCE = 1e-4;

    @TempDir
    Path folder;

    private Path packaged(TinyRuns runs) {
        Path target = folder.resolve("packaged");
        Packager.of(runs.reference()).packageTo(target);
        return target;
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt2", "qwen3"})
    void aPackagedModelSaysOfARowWhatItsRunSays(String family) {
        TinyRuns runs = new TinyRuns(family, folder);
        FrozenSource run = FrozenSource.open(runs.reference());
        FrozenSource deployed = FrozenSource.open(packaged(runs));
        assertThat(deployed).isInstanceOf(DeployedSource.class);
        assertThat(deployed.vocabularySize()).isEqualTo(run.vocabularySize());
        assertThat(deployed.head(new FrozenHeads()).toFloatArray())
                .isEqualTo(run.head(new FrozenHeads()).toFloatArray());
        TrainingConfig config = runs.anchor(folder.resolve("run"));
        PreparedJob job = PreparedJob.of(config, Examples.jsonLines(runs.rows()), Optional.empty(), Optional.empty());
        List<Batch> batch = job.rows().train().batcher().globalBatch(0, 0);
        try (FrozenModel expected = run.open(new FrozenHeads(), job.sessionSettings());
                FrozenModel got = deployed.open(new FrozenHeads(), job.sessionSettings())) {
            float[] theirs = expected.hidden(batch.get(0)).toFloatArray();
            float[] ours = got.hidden(batch.get(0)).toFloatArray();
            assertThat(ours).hasSameSizeAs(theirs);
            for (int i = 0; i < ours.length; i++) {
                assertThat((double) ours[i]).isCloseTo(theirs[i], within(TOLERANCE));
            }
        }
    }

    @Test
    void aRunLearnsTowardsADeployedModelAsTowardsItsRun() {
        TinyRuns runs = new TinyRuns("llama", folder);
        TrainingConfig config = runs.anchor(folder.resolve("run"));
        TinyRuns.run(config);
        TinyRuns.run(
                config.with(ConfigKeys.OUT, folder.resolve("deployed")).with(ConfigKeys.REFERENCE, packaged(runs)));
        double[] expected = TinyRuns.column(folder.resolve("run"), "loss");
        double[] got = TinyRuns.column(folder.resolve("deployed"), "loss");
        for (int step = 0; step < expected.length; step++) {
            assertThat(got[step]).isCloseTo(expected[step], within(TOLERANCE));
        }
    }

    @Test
    void aDeployedModelOfOtherTokensIsRefused() throws IOException {
        TinyRuns runs = new TinyRuns("llama", folder);
        Path packaged = packaged(runs);
        Path tokenizer = packaged.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"w7\"", "\"seven\""));
        Files.delete(packaged.resolve("SHA256SUMS"));
        assertThatThrownBy(() -> TinyRuns.run(runs.anchor(folder.resolve("run")).with(ConfigKeys.REFERENCE, packaged)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("expected the tokens of");
    }
}
