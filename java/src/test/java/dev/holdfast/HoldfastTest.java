package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.artifact.ArtifactDirectory;
import dev.holdfast.data.Examples;
import dev.holdfast.error.InvalidConfigurationException;
import dev.holdfast.testing.TinyModel;
import dev.holdfast.train.StepMetrics;
import dev.holdfast.train.TrainingListener;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HoldfastTest {
    @TempDir
    Path folder;

    @Test
    void aJobWithoutADirectoryIsAProblemOfItsSettings() {
        ArtifactDirectory artifact = TinyModel.export("llama", folder.resolve("artifact"));
        Examples rows = Examples.jsonLines(TinyModel.rows(folder.resolve("train.jsonl"), 8));
        Holdfast holdfast = Holdfast.boot();
        assertThatThrownBy(() -> holdfast.finetune(FineTuning.supervised(artifact), rows))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage("out: missing: sft needs it; set it with FineTuning.to(path)");
    }

    @Test
    void aJobIsCancelledAfterTheStepAtHandAndContinuedLater() {
        ArtifactDirectory artifact = TinyModel.export("llama", folder.resolve("artifact"));
        Examples rows = Examples.jsonLines(TinyModel.rows(folder.resolve("train.jsonl"), 8));
        FineTuning settings = FineTuning.supervised(artifact)
                .to(folder.resolve("run"))
                .batchSize(2)
                .epochs(1);
        AtomicBoolean cancelled = new AtomicBoolean();
        TrainingListener impatient = new TrainingListener() {
            @Override
            public void stepped(StepMetrics metrics) {
                cancelled.set(metrics.step() == 2);
            }
        };

        Holdfast holdfast = Holdfast.boot();
        FineTunedModel part = holdfast.finetune(settings, rows, impatient, cancelled::get);
        assertThat(part.outcome().finished()).isFalse();
        assertThat(part.outcome().checkpoint()).contains(folder.resolve("run/checkpoint-2"));

        FineTunedModel whole = holdfast.finetune(settings.resume(), rows);
        assertThat(whole.outcome().finished()).isTrue();
        assertThat(whole.outcome().step()).isEqualTo(4);
    }
}
