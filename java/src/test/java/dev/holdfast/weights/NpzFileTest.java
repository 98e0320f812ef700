package dev.holdfast.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.FileAccessException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.tensor.ElementType;
import dev.holdfast.tensor.HalfPrecision;
import dev.holdfast.tensor.HostTensor;
import dev.holdfast.tensor.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpzFileTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"stored.npz", "deflated.npz"})
    void arraysOfEveryTypeAreReadInOrder(String name) {
        Map<String, HostTensor> arrays = NpzFile.read(Golden.npz(name));

        assertThat(arrays.keySet())
                .containsExactly("input0", "labels0", "half", "double", "int", "byte", "bool", "scalar", "empty");
        assertThat(arrays.get("input0").shape()).isEqualTo(Shape.of(2, 3));
        assertThat(arrays.get("input0").toFloatArray()).containsExactly(0, 0.25f, -0.5f, 0.75f, 1, 1.25f);
        assertThat(arrays.get("labels0").toLongArray()).containsExactly(0, 1, -2, 3, 4, 5);
        assertThat(HalfPrecision.toFloat(arrays.get("half")).toFloatArray())
                .containsExactly(0, 0.25f, -0.5f, 0.75f, 1, 1.25f);
        assertThat(arrays.get("double").bytes().getDouble(16)).isEqualTo(-0.5);
        assertThat(arrays.get("int").bytes().getInt(8)).isEqualTo(-2);
        assertThat(arrays.get("byte").bytes().get(1)).isEqualTo((byte) 255);
        assertThat(arrays.get("bool").elementType()).isEqualTo(ElementType.BOOL);
        assertThat(arrays.get("bool").bytes().get(0)).isEqualTo((byte) 1);
        assertThat(arrays.get("scalar").shape()).isEqualTo(Shape.of());
        assertThat(arrays.get("scalar").toLongArray()).containsExactly(7);
        assertThat(arrays.get("empty").shape()).isEqualTo(Shape.of(0, 3));
    }

    @Test
    void fortranOrderIsRefusedWithAHint() {
        assertThatThrownBy(() -> NpzFile.read(Golden.npz("fortran.npz")))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("array matrix: expected C order")
                .hasMessageContaining("ascontiguousarray");
    }

    @Test
    void bigEndianNumbersAreRefused() {
        assertThatThrownBy(() -> NpzFile.read(Golden.npz("big_endian.npz")))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("got descr >f4");
    }

    @Test
    void aMissingFileAndOneThatIsNoArchiveAreToldApart() throws IOException {
        Path text = Files.writeString(folder.resolve("text.npz"), "no archive");

        assertThatThrownBy(() -> NpzFile.read(folder.resolve("none.npz"))).isInstanceOf(FileAccessException.class);
        assertThatThrownBy(() -> NpzFile.read(text))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("numpy.savez");
    }

    @Test
    void anArrayShorterThanItsShapeIsRefused() throws IOException {
        Path file = folder.resolve("short.npz");
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, ), }\n";
        try (OutputStream stream = Files.newOutputStream(file);
                ZipOutputStream archive = new ZipOutputStream(stream)) {
            archive.putNextEntry(new ZipEntry("x.npy"));
            archive.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) header.length(), 0});
            archive.write(header.getBytes(StandardCharsets.ISO_8859_1));
            archive.write(new byte[8]);
            archive.closeEntry();
        }

        assertThatThrownBy(() -> NpzFile.read(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("expected the bytes of FLOAT[1000000000], got 8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"stored.npz", "deflated.npz"})
    void aFlippedBitOfAnArrayIsToldWithItsName(String name) throws IOException {
        Path file = folder.resolve(name);
        byte[] whole = Files.readAllBytes(Golden.npz(name));
        Files.write(file, whole);
        assertThat(NpzFile.read(file)).containsKey("input0");
        // What the archive's table says of the first entry differs from what its bytes give.
        int crc = centralDirectory(whole) + 16;
        whole[crc] ^= 1;
        Files.write(file, whole);
        assertThatThrownBy(() -> NpzFile.read(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageMatching(file + ": array input0: corrupt: expected CRC-32 [0-9a-f]{8}, got [0-9a-f]{8}"
                        + "; copy or save the file again");
    }

    @Test
    void aFlippedBitInsideAStoredArrayDoesNotBecomeANumber() throws IOException {
        Path file = folder.resolve("flipped.npz");
        byte[] bytes = Files.readAllBytes(Golden.npz("stored.npz"));
        int header = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("'shape'");
        int value = new String(bytes, StandardCharsets.ISO_8859_1).indexOf('\n', header) + 1 + 5;
        bytes[value] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> NpzFile.read(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + ": array input0: corrupt: expected CRC-32 ");
    }

    private static int centralDirectory(byte[] archive) {
        return new String(archive, StandardCharsets.ISO_8859_1).indexOf("PK\001\002");
    }
}
