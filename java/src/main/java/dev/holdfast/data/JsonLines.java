package dev.holdfast.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.JsonFault;
import dev.holdfast.error.MalformedFileException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** A JSON-lines file, one object a line, UTF-8; a name that ends in {@code .gz} is decompressed. Every fault names file and line. */
public final class JsonLines {
    /** NaN and Infinity are no JSON, but Python writes them into data files. */
    private static final ObjectReader READER = TextFiles.MAPPER
            .reader()
            .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .with(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS);

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Path file;

    /** The lines of a file, which is opened at each pass, not here. */
    public JsonLines(Path file) {
        this.file = file;
    }

    /**
     * Passes every line but blank ones to the consumer, in order, one in memory at a time.
     *
     * @throws MalformedFileException if a line is not UTF-8 or not a JSON object
     * @throws InvalidInputException if there is no such file
     */
    public void forEach(Consumer<JsonLine> consumer) {
        long line = 1;
        try (InputStream stream = open()) {
            long index = 0;
            for (byte[] bytes = nextLine(stream); bytes != null; bytes = nextLine(stream), line++) {
                String text = decode(bytes, line);
                if (!text.isBlank()) {
                    consumer.accept(new JsonLine(file, line, index++, object(text, line)));
                }
            }
        } catch (NoSuchFileException e) {
            throw new InvalidInputException(file + ": no such file", e);
        } catch (EOFException | ZipException e) {
            throw MalformedFileException.atLine(file, line, "not a whole gzip file: " + e.getMessage());
        } catch (IOException e) {
            String reason = Files.isDirectory(file) ? "it is a folder; expected a file of JSON lines" : e.getMessage();
            throw new InvalidInputException(file + ": cannot be read: " + reason, e);
        }
    }

    private InputStream open() throws IOException {
        InputStream stream = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        if (!file.toString().endsWith(".gz")) {
            return stream;
        }
        try {
            return new BufferedInputStream(new GZIPInputStream(stream, 1 << 16), 1 << 16);
        } catch (IOException e) {
            stream.close();
            throw e;
        }
    }

    /** The bytes up to the next line feed, without it; null at the end of the file. */
    private static byte[] nextLine(InputStream stream) throws IOException {
        int next = stream.read();
        if (next < 0) {
            return null;
        }
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        while (next >= 0 && next != '\n') {
            line.write(next);
            next = stream.read();
        }
        return line.toByteArray();
    }

    private String decode(byte[] bytes, long line) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(buffer).toString();
            return line == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw MalformedFileException.atLine(
                    file, line, "not UTF-8 at byte " + (buffer.position() + 1) + " of the line");
        }
    }

    private ObjectNode object(String text, long line) {
        JsonNode node = parse(text, line);
        if (!(node instanceof ObjectNode object)) {
            throw MalformedFileException.atLine(file, line, "expected a JSON object, got " + describe(node));
        }
        return object;
    }

    private JsonNode parse(String text, long line) {
        try {
            return READER.readTree(text);
        } catch (JsonProcessingException e) {
            throw MalformedFileException.atLine(
                    file,
                    line,
                    JsonFault.describeInLine(e) + "; expected one JSON object a line, got " + shortened(text));
        }
    }

    static String describe(JsonNode node) {
        return shortened(node.toString());
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "...";
    }
}
