package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.runtime.Goldens;
import dev.holdfast.runtime.SessionSettings;
import dev.holdfast.runtime.TrainingSession;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.testing.OtherFiles;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX Runtime reads what we write, and we read what it writes. */
class OrtCheckpointInteroperabilityTest {
    private static final Path CLASSIFIER = Goldens.artifact("classifier");
    private static final Map<String, HostTensor> BATCHES = NpzFile.read(CLASSIFIER.resolve("batches.npz"));

    @TempDir
    private Path folder;

    private static TrainingSession open(Path checkpoint) {
        return TrainingSession.open(OtherFiles.withCheckpoint(CLASSIFIER, checkpoint), SessionSettings.defaults());
    }

    private static float[] train(TrainingSession session, int from, int to) {
        float[] losses = new float[to - from];
        session.setLearningRate(1e-2f);
        for (int step = from; step < to; step++) {
            session.lazyResetGrad();
            losses[step - from] = session.trainStep(Goldens.batch(BATCHES, step, "input", "labels"))
                    .loss();
            session.optimizerStep();
        }
        return losses;
    }

    /** Everything that a checkpoint holds, written anew. */
    private static CheckpointWriter copy(OrtCheckpoint checkpoint) {
        CheckpointWriter writer = new CheckpointWriter();
        checkpoint.trainable().forEach(tensor -> writer.trainable(pending(checkpoint, tensor)));
        checkpoint.frozen().forEach(tensor -> writer.frozen(pending(checkpoint, tensor)));
        for (OptimizerGroup<CheckpointTensor> group : checkpoint.optimizerGroups()) {
            Map<String, List<PendingTensor>> moments = new LinkedHashMap<>();
            group.moments()
                    .forEach((name, tensors) -> moments.put(
                            name,
                            tensors.stream()
                                    .map(tensor -> pending(checkpoint, tensor))
                                    .toList()));
            writer.optimizerGroup(
                    new OptimizerGroup<>(group.name(), group.step(), group.initialLearningRate(), moments));
        }
        return writer;
    }

    private static PendingTensor pending(OrtCheckpoint checkpoint, CheckpointTensor tensor) {
        return new PendingTensor(tensor.name(), tensor.elementType(), tensor.shape(), () -> checkpoint.values(tensor));
    }

    @ParameterizedTest(name = "at most {0} bytes inside")
    @ValueSource(longs = {Integer.MAX_VALUE, (1 << 16) + 5_000})
    void trainingGoesOnFromARewrittenCheckpointAsFromTheOriginal(long inlineLimit) {
        Path original = folder.resolve("original");
        Path rewritten = folder.resolve("rewritten");
        float[] expected;
        try (TrainingSession session = open(CLASSIFIER.resolve("checkpoint"))) {
            train(session, 0, 3);
            session.saveCheckpoint(original, true);
            expected = train(session, 3, 6);
        }
        copy(OrtCheckpoint.read(original)).inlineLimit(inlineLimit).write(rewritten);
        OrtCheckpoint checkpoint = OrtCheckpoint.read(rewritten);
        Path expectedFile = inlineLimit == Integer.MAX_VALUE ? rewritten : CheckpointFormat.dataPath(rewritten);
        assertThat(checkpoint.trainable())
                .allSatisfy(tensor -> assertThat(tensor.file()).isEqualTo(expectedFile));
        assertThat(checkpoint.optimizerGroups().get(0).moments().values())
                .flatMap(List::copyOf)
                .allSatisfy(tensor -> assertThat(tensor.file()).isEqualTo(rewritten));

        try (TrainingSession session = open(rewritten)) {
            assertThat(train(session, 3, 6)).containsExactly(expected);
        }
    }

    @Test
    void parametersBesideTheCheckpointAreLoaded() {
        Path beside = folder.resolve("beside");
        copy(OrtCheckpoint.read(CLASSIFIER.resolve("checkpoint")))
                .inlineLimit(0)
                .write(beside);

        assertThat(OrtCheckpoint.read(beside).trainable())
                .allSatisfy(tensor -> assertThat(tensor.file()).isNotEqualTo(beside));
        try (TrainingSession session = open(beside);
                TrainingSession original = open(CLASSIFIER.resolve("checkpoint"))) {
            assertThat(train(session, 0, 3)).containsExactly(train(original, 0, 3));
        }
    }

    @Test
    void propertiesTravelBothWays() {
        Path ours = folder.resolve("ours");
        Path theirs = folder.resolve("theirs");
        copy(OrtCheckpoint.read(CLASSIFIER.resolve("checkpoint")))
                .property("epoch", 7L)
                .property("best", 0.5f)
                .property("note", "größer")
                .write(ours);

        try (TrainingSession session = open(ours)) {
            session.saveCheckpoint(theirs, false);
        }
        assertThat(OrtCheckpoint.read(theirs).properties())
                .isEqualTo(OrtCheckpoint.read(ours).properties());
    }

    /** External data of an ONNX file points at these offsets. */
    @Test
    void offsetsIntoACheckpointThatOrtWroteLeadToTheValues() {
        Path theirs = folder.resolve("theirs");
        try (TrainingSession session = open(CLASSIFIER.resolve("checkpoint"))) {
            train(session, 0, 2);
            session.saveCheckpoint(theirs, true);
        }
        OrtCheckpoint checkpoint = OrtCheckpoint.read(theirs);
        OrtCheckpoint before = OrtCheckpoint.read(CLASSIFIER.resolve("checkpoint"));
        assertThat(checkpoint.optimizerGroups().get(0).step()).isEqualTo(2);
        assertThat(checkpoint.trainable()).isNotEmpty().allSatisfy(tensor -> {
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.sizeBytes());
            try (InputFile file = InputFile.open(tensor.file())) {
                file.read(tensor.offset(), bytes);
            }
            float[] after = HostTensor.wrap(tensor.elementType(), tensor.shape(), bytes.flip())
                    .toFloatArray();
            float[] start = before.values(before.parameter(tensor.name())).toFloatArray();
            for (int i = 0; i < after.length; i++) {
                // Two steps of AdamW at a learning rate of 0.01 move a weight by at most about 0.02.
                assertThat(after[i]).isBetween(start[i] - 0.03f, start[i] + 0.03f);
            }
            assertThat(after).isNotEqualTo(start);
        });
    }
}
