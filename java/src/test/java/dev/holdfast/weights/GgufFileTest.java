package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufFileTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void everyFormatHasTheValuesOfTheReferenceToTheLastBit(StorageFormat format) {
        try (GgufFile file = GgufFile.open(Golden.gguf("types.gguf"));
                SafetensorsFile expected = SafetensorsFile.open(Golden.gguf("types.safetensors"))) {
            assertThat(file.info(format.name()))
                    .isEqualTo(new WeightInfo(format.name(), format.name(), Shape.of(3, 512)));
            assertThat(file.readFloat(format.name()).toFloatArray())
                    .containsExactly(expected.readFloat(format.name()).toFloatArray());
        }
    }

    @Test
    void metadataOfEveryTypeBecomesPlainJavaValues() {
        try (GgufFile file = GgufFile.open(Golden.gguf("types.gguf"))) {
            assertThat(file.metadata())
                    .containsAllEntriesOf(Map.ofEntries(
                            Map.entry("general.architecture", "llama"),
                            Map.entry("test.uint8", 255L),
                            Map.entry("test.int8", -128L),
                            Map.entry("test.uint16", 65_535L),
                            Map.entry("test.int16", -32_768L),
                            Map.entry("test.uint32", 4_294_967_295L),
                            Map.entry("test.int32", -2_147_483_648L),
                            Map.entry("test.uint64", Long.MAX_VALUE),
                            Map.entry("test.int64", Long.MIN_VALUE),
                            Map.entry("test.float32", (double) 0.1f),
                            Map.entry("test.float64", 0.1),
                            Map.entry("test.bool", true),
                            Map.entry("test.string", "Grüße 🦙"),
                            Map.entry("test.strings", List.of("a", "", "ö")),
                            Map.entry("test.integers", List.of(1L, -2L, 3L)),
                            Map.entry("test.booleans", List.of(true, false)),
                            Map.entry("test.nested", List.of(List.of(1L, 2L), List.of(3L)))));
        }
    }

    @Test
    void aTruncatedFileNamesTheOffset() throws IOException {
        byte[] bytes = Files.readAllBytes(Golden.gguf("types.gguf"));
        Path file = folder.resolve("short.gguf");
        int paddingBytes = 20;
        Files.write(file, Arrays.copyOf(bytes, bytes.length - paddingBytes - 1));

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageMatching(".*short\\.gguf: offset \\d+: truncated: tensor Q6_K .*");
    }

    @Test
    void anotherFileIsNotTakenForGguf() throws IOException {
        Path file = folder.resolve("other.gguf");
        Files.writeString(file, "{\"json\": true}");

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("GGUF");
    }

    @Test
    void anUnsupportedTensorTypeIsNamedWithThoseThatAreSupported() {
        Path file = new GgufBytes().tensor("t", 10, 256).writeTo(folder.resolve("q2.gguf"));

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("got Q2_K")
                .hasMessageContaining("F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K");
    }

    @Test
    void rowsThatAreNoWholeBlocksAreRefused() {
        Path file = new GgufBytes().tensor("t", 2, 33).writeTo(folder.resolve("rows.gguf"));

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("multiple of 32");
    }

    @Test
    void countsBeyondTheFileAllocateNothing() {
        Path file = new GgufBytes().counts(1L << 40, 1L << 40).writeTo(folder.resolve("counts.gguf"));

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("tensor count");
    }

    @Test
    void aTensorLargerThanTheFileIsRefused() {
        Path file = new GgufBytes().tensor("t", 0, 1L << 40).writeTo(folder.resolve("large.gguf"));

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("truncated");
    }
}
