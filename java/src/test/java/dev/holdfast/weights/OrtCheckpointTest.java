package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrtCheckpointTest {
    @TempDir
    private Path folder;

    private static CheckpointWriter sample() {
        Map<String, List<PendingTensor>> moments = new LinkedHashMap<>();
        moments.put(
                "w",
                List.of(
                        PendingTensor.of("momentum0", HostTensor.ofFloats(new float[] {7, 8, 9, 10, 11, 12}, 2, 3)),
                        PendingTensor.of(
                                "momentum1", HostTensor.ofFloats(new float[] {13, 14, 15, 16, 17, 18}, 2, 3))));
        return new CheckpointWriter()
                .trainable(PendingTensor.of("w", HostTensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3)))
                .trainable(PendingTensor.of("scalar", HostTensor.ofFloats(new float[] {42})))
                .trainable(PendingTensor.of("b", HostTensor.ofFloats(new float[] {-1}, 1)))
                .frozen(PendingTensor.of("ids", HostTensor.ofLongs(new long[] {Long.MIN_VALUE, 3}, 2)))
                .optimizerGroup(new OptimizerGroup<>("group0", 17, 0.25f, moments))
                .property("épochs", 3L)
                .property("loss", 1.5f)
                .property("note", "größer");
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Path path = folder.resolve("checkpoint");
        sample().write(path);

        OrtCheckpoint checkpoint = OrtCheckpoint.read(path);
        assertSample(checkpoint);
        assertThat(folder.resolve("checkpoint.data")).doesNotExist();
        assertThat(folder.resolve("checkpoint.partial")).doesNotExist();
    }

    @Test
    void aCheckpointOverTheLimitKeepsItsParametersBesideIt() {
        Path path = folder.resolve("checkpoint");
        sample().inlineLimit(0).write(path);

        OrtCheckpoint checkpoint = OrtCheckpoint.read(path);
        assertSample(checkpoint);
        assertThat(checkpoint.parameter("w").file()).isEqualTo(folder.resolve("checkpoint.data"));
    }

    @Test
    void momentsStayInsideWhereOnlyTheParametersAreTooLarge() {
        Path path = folder.resolve("checkpoint");
        long momentsAlone = (1 << 16) + 5_000;
        sample().trainable(PendingTensor.of("large", HostTensor.allocate(ElementType.FLOAT, Shape.of(5_000))))
                .inlineLimit(momentsAlone)
                .write(path);

        OrtCheckpoint checkpoint = OrtCheckpoint.read(path);
        assertThat(checkpoint.parameter("large").file()).isEqualTo(folder.resolve("checkpoint.data"));
        assertThat(checkpoint.optimizerGroups().get(0).moments().get("w").get(0).file())
                .isEqualTo(path);
    }

    private static void assertSample(OrtCheckpoint checkpoint) {
        assertThat(checkpoint.trainable()).extracting(CheckpointTensor::name).containsExactly("w", "scalar", "b");
        assertThat(checkpoint.frozen()).extracting(CheckpointTensor::name).containsExactly("ids");
        assertThat(checkpoint.parameter("scalar").shape()).isEqualTo(Shape.of());
        assertThat(checkpoint.values(checkpoint.parameter("w")).toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(checkpoint.values(checkpoint.parameter("ids")).toLongArray()).containsExactly(Long.MIN_VALUE, 3);
        assertThat(checkpoint.properties())
                .containsOnly(entry("épochs", 3L), entry("loss", 1.5f), entry("note", "größer"));
        OptimizerGroup<CheckpointTensor> group = checkpoint.optimizerGroups().get(0);
        assertThat(group.step()).isEqualTo(17);
        assertThat(group.initialLearningRate()).isEqualTo(0.25f);
        assertThat(checkpoint.values(group.moments().get("w").get(1)).toFloatArray())
                .containsExactly(13, 14, 15, 16, 17, 18);
    }

    @Test
    void theBytesOfEveryTensorLieAlignedWhereTheReaderSays() throws IOException {
        Path path = folder.resolve("checkpoint");
        sample().write(path);

        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        for (CheckpointTensor tensor : OrtCheckpoint.read(path).trainable()) {
            assertThat(tensor.offset() % 64).isZero();
            assertThat(bytes.getInt((int) tensor.offset() - 4)).isEqualTo((int) tensor.sizeBytes());
        }
        CheckpointTensor parameter = OrtCheckpoint.read(path).parameter("w");
        assertThat(bytes.getFloat((int) parameter.offset() + 20)).isEqualTo(6);
    }

    @Test
    void parametersAreASourceOfWeights() {
        Path path = folder.resolve("checkpoint");
        sample().write(path);

        try (WeightSource weights = OrtCheckpoint.read(path).weights()) {
            assertThat(weights.names()).containsExactly("w", "scalar", "b", "ids");
            assertThat(weights.readFloat("b").toFloatArray()).containsExactly(-1);
            assertThatThrownBy(() -> weights.readFloat("ids")).hasMessageContaining("INT64");
            assertThatThrownBy(() -> weights.readFloat("x"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("parameter x");
        }
    }

    @Test
    void aFailureWhileWritingLeavesTheOldCheckpoint() throws IOException {
        Path path = folder.resolve("checkpoint");
        sample().write(path);
        byte[] before = Files.readAllBytes(path);

        CheckpointWriter failing = sample().trainable(new PendingTensor("late", ElementType.FLOAT, Shape.of(1), () -> {
            throw new IllegalStateException("no values");
        }));

        assertThatThrownBy(() -> failing.write(path)).hasMessage("no values");
        assertThat(Files.readAllBytes(path)).isEqualTo(before);
        assertThat(folder.resolve("checkpoint.partial")).doesNotExist();
    }

    @Test
    void aFullDiskLeavesTheOldCheckpointAndIsNamed() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "skipped: this system has no /dev/full");
        Path path = folder.resolve("checkpoint");
        sample().write(path);
        byte[] before = Files.readAllBytes(path);
        Files.createSymbolicLink(folder.resolve("checkpoint.partial"), full);

        assertThatThrownBy(() -> sample().write(path))
                .isInstanceOf(FileAccessException.class)
                .hasMessageContaining("checkpoint: cannot be written: No space left on device");
        assertThat(Files.readAllBytes(path)).isEqualTo(before);
    }

    @Test
    void whatAKilledWriterLeftIsOverwritten() throws IOException {
        Path path = folder.resolve("checkpoint");
        Files.write(folder.resolve("checkpoint.partial"), new byte[100_000]);

        sample().write(path);
        assertSample(OrtCheckpoint.read(path));
    }

    @Test
    void truncationNamesTheOffset() throws IOException {
        Path path = folder.resolve("checkpoint");
        sample().write(path);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(file.length() - 1);
        }

        assertThatThrownBy(() -> OrtCheckpoint.read(path))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("offset ");
    }

    @Test
    void aMissingDataFileIsNamed() throws IOException {
        Path path = folder.resolve("checkpoint");
        sample().inlineLimit(0).write(path);
        Files.delete(folder.resolve("checkpoint.data"));

        assertThatThrownBy(() -> OrtCheckpoint.read(path)).hasMessageContaining("checkpoint.data");
    }
}
