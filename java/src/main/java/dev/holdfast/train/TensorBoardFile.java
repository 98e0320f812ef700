package dev.holdfast.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.CodedOutputStream;
import dev.holdfast.error.FileAccessException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A file of events that TensorBoard shows as curves: each number of a line of metrics or ledger is a scalar of the same name.
 *
 * <p>Source: TensorFlow's {@code core/util/event.proto} for the events, {@code core/lib/io/record_writer.h} for the framing of records.
 */
final class TensorBoardFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String VERSION = "brain.Event:2";
    private static final String STEP = "step";
    private static final int CHECKSUM_MASK = 0xa282ead8;

    private final Path file;

    private TensorBoardFile(Path file) {
        this.file = file;
    }

    /**
     * Begins a file of this session; files of earlier sessions stay, and what they hold of the session's own steps no longer counts.
     *
     * @param run the run's folder
     * @param step the first step of the session
     */
    static TensorBoardFile begin(Path run, int step) {
        long seconds = Instant.now().getEpochSecond();
        while (Files.exists(name(run, seconds))) {
            seconds++;
        }
        TensorBoardFile file = new TensorBoardFile(name(run, seconds));
        file.append(event(0, content -> content.writeString(3, VERSION)));
        file.append(event(step, content -> content.writeByteArray(7, message(log -> log.writeEnum(1, 1)))));
        return file;
    }

    private static Path name(Path run, long seconds) {
        return run.resolve("events.out.tfevents." + seconds + "." + Provenance.hostName());
    }

    /** Adds the numbers of a line of metrics or ledger at the line's step. */
    void append(Object line) {
        JsonNode numbers = JSON.valueToTree(line);
        byte[] summary = message(values -> {
            for (Map.Entry<String, JsonNode> entry : numbers.properties()) {
                if (entry.getValue().isNumber() && !entry.getKey().equals(STEP)) {
                    values.writeByteArray(
                            1, scalar(entry.getKey(), (float) entry.getValue().asDouble()));
                }
            }
        });
        append(event(numbers.get(STEP).asInt(), content -> content.writeByteArray(5, summary)));
    }

    private static byte[] scalar(String tag, float value) {
        return message(content -> {
            content.writeString(1, tag);
            content.writeFloat(2, value);
        });
    }

    private static byte[] event(int step, Content what) {
        Instant now = Instant.now();
        return message(content -> {
            content.writeDouble(1, now.getEpochSecond() + now.getNano() / 1e9);
            content.writeInt64(2, step);
            what.writeTo(content);
        });
    }

    /** The fields of a protobuf message. */
    private interface Content {
        void writeTo(CodedOutputStream stream) throws IOException;
    }

    private static byte[] message(Content content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream stream = CodedOutputStream.newInstance(bytes);
        try {
            content.writeTo(stream);
            stream.flush();
        } catch (IOException e) {
            throw new AssertionError("writing to memory does not fail", e);
        }
        return bytes.toByteArray();
    }

    private void append(byte[] event) {
        ByteBuffer record = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + event.length + Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(event.length)
                .putInt(checksum(record.array(), Long.BYTES))
                .put(event)
                .putInt(checksum(event, event.length));
        try {
            Files.write(file, record.array(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw FileAccessException.writing(file, e);
        }
    }

    /** The masked checksum of the first bytes. */
    private static int checksum(byte[] bytes, int length) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, length);
        return Integer.rotateRight((int) checksum.getValue(), 15) + CHECKSUM_MASK;
    }
}
