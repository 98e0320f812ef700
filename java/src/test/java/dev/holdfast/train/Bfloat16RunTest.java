package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.config.ConfigKeys;
import dev.holdfast.config.TrainingConfig;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.exporter.Exporter;
import dev.holdfast.natives.NativeLibrary;
import dev.holdfast.onnx.Kernels;
import dev.holdfast.testing.TinyModel;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where {@code bf16} cannot be had it is refused before anything is written. */
class Bfloat16RunTest {
    @TempDir
    Path directory;

    @Test
    void isRefusedOnAProcessorWithoutIt() {
        TinyRuns runs = new TinyRuns("llama", directory);
        TrainingConfig config = runs.sft(directory.resolve("run")).with(ConfigKeys.BF16, true);

        assertThatThrownBy(() -> PreparedJob.requireProducts(config, runs.artifact(), false))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("bf16: expected a processor with AVX512_BF16 or AMX, got one without");
        PreparedJob.requireProducts(config, runs.artifact(), true);
        PreparedJob.requireProducts(config.with(ConfigKeys.BF16, false), runs.artifact(), false);
    }

    @Test
    void isRefusedWithAnArtifactThatHasNoProductsOfOurs() {
        assumeThat(NativeLibrary.load().multipliesBfloat16())
                .as("this processor has neither AVX512_BF16 nor AMX")
                .isTrue();
        TinyRuns runs = new TinyRuns("llama", directory);
        ArtifactDirectory stock = Exporter.of(TinyModel.source("llama", directory.resolve("source")))
                .kernels(Kernels.STOCK)
                .export(directory.resolve("stock"));
        Path out = directory.resolve("run");
        TrainingConfig config =
                runs.sft(out).with(ConfigKeys.ARTIFACT, stock.path()).with(ConfigKeys.BF16, true);
        Examples rows = Examples.jsonLines(runs.rows());

        assertThatThrownBy(() -> Trainer.plan(config, rows, TrainingSupport.NONE))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessageContaining("bf16: expected an artifact with products of dev.holdfast:MatrixProduct");
        assertThatThrownBy(() -> Trainer.run(config, rows, Optional.empty(), TrainingListener.NONE, () -> false))
                .isInstanceOf(InvalidConfigurationException.class);
        assertThat(out).doesNotExist();
    }
}
