package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.MalformedFileException;
import dev.holdfast.error.UnsupportedModelException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    @TempDir
    private Path folder;

    private static HostTensor shorts(ElementType type, short... values) {
        HostTensor tensor = HostTensor.allocate(type, Shape.of(values.length));
        tensor.bytes().asShortBuffer().put(values);
        return tensor;
    }

    @Test
    void whatIsWrittenIsReadBackAsFloat() {
        Path file = folder.resolve("model.safetensors");
        short half = HalfPrecision.floatToHalf(-0.5f);
        short bfloat = HalfPrecision.floatToBfloat(3);
        SafetensorsWriter.write(
                file,
                Map.of("format", "pt"),
                List.of(
                        PendingTensor.of("matrix", HostTensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3)),
                        PendingTensor.of("half", shorts(ElementType.FLOAT16, half)),
                        PendingTensor.of("bfloat", shorts(ElementType.BFLOAT16, bfloat, bfloat)),
                        PendingTensor.of("empty", HostTensor.ofFloats(new float[0], 0, 4)),
                        PendingTensor.of("scalar", HostTensor.ofFloats(new float[] {7}))));

        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            assertThat(source.names()).containsExactly("matrix", "half", "bfloat", "empty", "scalar");
            assertThat(source.info("bfloat")).isEqualTo(new WeightInfo("bfloat", "BF16", Shape.of(2)));
            assertThat(source.readFloat("matrix").shape()).isEqualTo(Shape.of(2, 3));
            assertThat(source.readFloat("matrix").toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(source.readFloat("half").toFloatArray()).containsExactly(-0.5f);
            assertThat(source.readFloat("bfloat").toFloatArray()).containsExactly(3, 3);
            assertThat(source.readFloat("empty").elementCount()).isZero();
            assertThat(source.readFloat("scalar").shape()).isEqualTo(Shape.of());
            assertThatThrownBy(() -> source.readFloat("x"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("tensor x");
        }
    }

    @Test
    void tensorsAreReadAcrossTheChunksOfConversion() {
        Path file = folder.resolve("model.safetensors");
        HostTensor large = HostTensor.allocate(ElementType.BFLOAT16, Shape.of(300_001));
        for (int i = 0; i < large.elementCount(); i++) {
            large.bytes().putShort(2 * i, HalfPrecision.floatToBfloat(i % 251));
        }
        SafetensorsWriter.write(file, Map.of(), List.of(PendingTensor.of("large", large)));

        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            float[] values = source.readFloat("large").toFloatArray();
            for (int i = 0; i < values.length; i++) {
                assertThat(values[i]).isEqualTo(i % 251);
            }
        }
    }

    /** The header with its length before it, then so many zero bytes of tensors. */
    private Path file(String header, int dataBytes) throws IOException {
        byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json);
        return Files.write(folder.resolve("faulty.safetensors"), bytes.array());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 7 | truncated: tensor a",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 9 | expected the file to end with the last tensor, got 1 more",
                "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8 | expected the bytes of shape [3] F32, got 8",
                "{'a':{'dtype':'F32','shape':[4611686018427387905],'data_offsets':[0,4]}} | 4 | expected the bytes of shape",
                "{'a':{'dtype':'F32','shape':[4611686018427387905,8],'data_offsets':[0,4]}} | 4 | element count overflows",
                "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 4 | expected whole numbers >= 0, got -1",
                "{'a':{'dtype':'F32','shape':[1.0],'data_offsets':[0,4]}} | 4 | expected whole numbers >= 0, got 1.0",
                "{'a':{'dtype':'F32','shape':1,'data_offsets':[0,4]}} | 4 | shape: expected an array, got 1",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}} | 4 | expected [begin, end]",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | expected to begin at 0",
                "{'a':{'dtype':'F32','shape':[],'data_offsets':[0,4]},'b':{'dtype':'F16','shape':[2],'data_offsets':[2,6]}} | 6 | to begin at 4",
                "{'a':{'dtype':'F32','shape':[],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[8,12]}} | 12 | to begin at 4",
                "{'a':{'dtype':'F32','shape':[0],'data_offsets':[0,0]},'a':{'dtype':'F32','shape':[0],'data_offsets':[0,0]}} | 0 | not JSON: the key 'a' appears twice",
                "{'a':{'shape':[0],'data_offsets':[0,0]}} | 0 | dtype: expected a string",
                "{'a':7} | 0 | dtype: expected a string",
                "[1] | 0 | expected a JSON object",
                "{'a' | 0 | not JSON",
                "{} {} | 0 | expected one JSON value, got another after it: line 1, column 4",
            })
    void everyFaultOfAHeaderIsNamed(String header, int dataBytes, String message) throws IOException {
        Path file = file(header, dataBytes);

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("offset ")
                .hasMessageContaining(message);
    }

    @Test
    void aHeaderLengthBeyondTheFileOrTheFormatIsRefused() throws IOException {
        Path beyondFile = Files.write(
                folder.resolve("a"),
                ByteBuffer.allocate(20)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(13)
                        .array());
        Path beyondFormat = Files.write(
                folder.resolve("b"),
                ByteBuffer.allocate(20)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(-1)
                        .array());

        assertThatThrownBy(() -> SafetensorsFile.open(beyondFile))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("offset 8: truncated: expected 13 more bytes, got 12");
        assertThatThrownBy(() -> SafetensorsFile.open(beyondFormat))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("header length");
    }

    @Test
    void otherTypesMayLieInTheFileButNotBeRead() throws IOException {
        Path file =
                file("{'__metadata__':{'format':'pt'},'mask':{'dtype':'BOOL','shape':[2],'data_offsets':[0,2]}}", 2);
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            assertThat(source.names()).containsExactly("mask");
            assertThatThrownBy(() -> source.readFloat("mask"))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining("tensor mask: expected one of F32, F16, BF16, got BOOL");
        }
    }

    @Test
    void aTypeThatTheFormatDoesNotHaveIsRefusedByName() throws IOException {
        Path file = file("{'a':{'dtype':'F3','shape':[0],'data_offsets':[0,0]}}", 0);

        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("got F3");
    }

    @Test
    void aFileThatShrinksWhileItIsOpenEndsInAMessage() throws IOException {
        Path file = file("{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}", 8);
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            Files.write(file, new byte[10]);
            assertThatThrownBy(() -> source.readFloat("a"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("truncated");
        }
    }

    @Test
    void theWriterRefusesNamesTwiceAndTypesThatTheReaderWouldNotTake() {
        PendingTensor tensor = PendingTensor.of("a", HostTensor.ofFloats(new float[] {1}, 1));
        PendingTensor integers = PendingTensor.of("a", HostTensor.ofLongs(new long[] {1}, 1));
        Path file = folder.resolve("model.safetensors");

        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(tensor, tensor)))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of(), List.of(integers)))
                .hasMessageContaining("INT64");
        assertThat(file).doesNotExist();
    }
}
