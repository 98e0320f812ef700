package dev.holdfast.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardFileTest {
    @TempDir
    Path folder;

    static StepMetrics metrics(int step, double loss) {
        return new StepMetrics(
                step, 0.5, null, loss, 0.25, 2.0, 1e-5, 40, 100.0, 1L << 30, Map.of("student_entropy", 1.5), 10);
    }

    @Test
    void everyNumberOfALineIsAScalarOfItsStep() throws IOException {
        TensorBoardFile file = TensorBoardFile.begin(folder, 1);
        file.append(metrics(1, 4.5));
        file.append(new EvaluationMetrics(1, 3.5, 0.75, 80));
        file.append(metrics(2, 4.25));
        List<Map<String, Object>> events = events(onlyFile());
        assertThat(events).hasSize(5);
        assertThat(events.get(0)).containsEntry("version", "brain.Event:2");
        assertThat(events.get(1)).containsEntry("started", true).containsEntry("step", 1L);
        assertThat(events.get(2))
                .containsEntry("step", 1L)
                .containsEntry("loss", 4.5f)
                .containsEntry("token_accuracy", 0.25f)
                .containsEntry("grad_norm", 2f)
                .containsEntry("learning_rate", 1e-5f)
                .containsEntry("tokens_per_second", 100f)
                .containsEntry("student_entropy", 1.5f);
        assertThat(events.get(3)).containsEntry("eval_loss", 3.5f);
        assertThat(events.get(4)).containsEntry("step", 2L).containsEntry("loss", 4.25f);
        assertThat((Double) events.get(4).get("time")).isCloseTo(System.currentTimeMillis() / 1e3, within(60.0));
    }

    @Test
    void aResumedRunAddsAFileAndLeavesTheFormer() throws IOException {
        TensorBoardFile.begin(folder, 1).append(metrics(1, 4.5));
        byte[] former = Files.readAllBytes(onlyFile());
        Path first = onlyFile();
        TensorBoardFile.begin(folder, 2);
        assertThat(first).hasBinaryContent(former);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files)
                    .hasSize(2)
                    .allMatch(file -> file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d+\\..+"));
        }
    }

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findFirst().orElseThrow();
        }
    }

    /** An own reader of the framing, which checks lengths and checksums. */
    static List<Map<String, Object>> events(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Map<String, Object>> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            byte[] length = new byte[8];
            bytes.get(length);
            assertThat(bytes.getInt()).isEqualTo(masked(length));
            byte[] content = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            bytes.get(content);
            assertThat(bytes.getInt()).isEqualTo(masked(content));
            events.add(event(content));
        }
        return events;
    }

    private static int masked(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        int value = (int) checksum.getValue();
        return ((value >>> 15) | (value << 17)) + 0xa282ead8;
    }

    private static Map<String, Object> event(byte[] content) throws IOException {
        Map<String, Object> event = new LinkedHashMap<>();
        CodedInputStream stream = CodedInputStream.newInstance(content);
        for (int tag = stream.readTag(); tag != 0; tag = stream.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> event.put("time", stream.readDouble());
                case 2 -> event.put("step", stream.readInt64());
                case 3 -> event.put("version", stream.readString());
                case 5 -> addScalars(stream.readByteArray(), event);
                case 7 -> event.put("started", stream.readByteArray()[1] == 1);
                default -> throw new AssertionError("field " + WireFormat.getTagFieldNumber(tag));
            }
        }
        return event;
    }

    private static void addScalars(byte[] summary, Map<String, Object> event) throws IOException {
        CodedInputStream values = CodedInputStream.newInstance(summary);
        for (int tag = values.readTag(); tag != 0; tag = values.readTag()) {
            CodedInputStream value = CodedInputStream.newInstance(values.readByteArray());
            value.readTag();
            String name = value.readString();
            value.readTag();
            event.put(name, value.readFloat());
        }
    }
}
