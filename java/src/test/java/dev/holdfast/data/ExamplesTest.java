package dev.holdfast.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.InvalidInputException;
import dev.holdfast.error.MalformedFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesTest {
    @TempDir
    Path folder;

    @Test
    void rowsAreRecognisedByTheirFields() throws IOException {
        assertThat(read("{\"prompt\": \"p\", \"completion\": \"c\", \"answer\": 3, \"op\": [1]}"))
                .containsExactly(new Example.PromptCompletion("p", "c"));
        assertThat(read("{\"text\": \"t\"}")).containsExactly(new Example.Text("t"));
        assertThat(
                        read(
                                "{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}, {\"role\": \"assistant\", \"content\": \"a\"}]}"))
                .containsExactly(
                        new Example.Messages(List.of(new Message("user", "u"), new Message("assistant", "a"))));
        assertThat(read("{\"instruction\": \"i\", \"output\": \"o\"}"))
                .containsExactly(new Example.Instruction("i", "", "o"));
        assertThat(read("{\"instruction\": \"i\", \"input\": null, \"output\": \"o\"}"))
                .containsExactly(new Example.Instruction("i", "", "o"));
        assertThat(read("{\"instruction\": \"i\", \"input\": \"n\", \"output\": \"o\"}"))
                .containsExactly(new Example.Instruction("i", "n", "o"));
    }

    @Test
    void aPromptOfMessagesIsContextEvenWhereTheAssistantSpeaks() throws IOException {
        assertThat(
                        read(
                                "{\"prompt\": [{\"role\": \"user\", \"content\": \"u\"}, {\"role\": \"assistant\", \"content\": \"a\"}, "
                                        + "{\"role\": \"user\", \"content\": \"v\"}], \"completion\": [{\"role\": \"assistant\", \"content\": \"b\"}]}"))
                .containsExactly(new Example.Messages(
                        List.of(
                                new Message("user", "u"),
                                new Message("assistant", "a"),
                                new Message("user", "v"),
                                new Message("assistant", "b")),
                        3));
    }

    @Test
    void contentMayBeAListOfTextParts() throws IOException {
        assertThat(read(
                        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"a\"}, {\"type\": \"text\", "
                                + "\"text\": \"b\"}]}]}"))
                .containsExactly(new Example.Messages(List.of(new Message("user", "ab"))));
    }

    @Test
    void theAlpacaWordingDependsOnTheInput() {
        assertThat(new Example.Instruction("Add.", "1 2", "3").prompt())
                .isEqualTo("Below is an instruction that describes a task, paired "
                        + "with an input that provides further context. Write a response that appropriately completes the request.\n\n"
                        + "### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n");
        assertThat(new Example.Instruction("Add.", "", "3").prompt())
                .isEqualTo(
                        "Below is an instruction that describes a task. "
                                + "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Response:\n");
    }

    @Test
    void rowsKeepTheirOrderAndPlaceAcrossBlankLinesAndLineEndings() throws IOException {
        Path file = write("\uFEFF{\"text\": \"a\"}\r\n\r\n  \n{\"text\": \"é😀\\n\"}\n{\"text\": \"c\"}");
        List<Row> rows = rows(file);
        assertThat(rows).extracting(Row::index).containsExactly(0L, 1L, 2L);
        assertThat(rows).extracting(Row::where).containsExactly(file + ":1", file + ":4", file + ":5");
        assertThat(rows)
                .extracting(Row::example)
                .containsExactly(new Example.Text("a"), new Example.Text("é😀\n"), new Example.Text("c"));
    }

    @Test
    void gzipIsReadByItsName() throws IOException {
        Path file = folder.resolve("data.jsonl.gz");
        byte[] compressed = gzip("{\"text\": \"a\"}\n{\"text\": \"b\"}\n".repeat(200));
        Files.write(file, compressed);
        assertThat(rows(file)).hasSize(400);
        Files.write(file, Arrays.copyOf(compressed, compressed.length - 12));
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("not a whole gzip file");
        Files.writeString(file, "{\"text\": \"a\"}");
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(":1: not a whole gzip file");
    }

    @Test
    void faultsNameFileAndLine() throws IOException {
        assertFault(
                "{\"text\": \"a\"}\n{\"prompt\": ",
                ":2: not JSON, it ends too soon: expected one JSON object a line, got {\"prompt\": ");
        assertFault(
                "Once upon a time", ":1: not JSON at column 5: expected one JSON object a line, got Once upon a time");
        assertFault(
                "{\"text\": \"a\"} {\"text\": \"b\"}", ":1: not JSON at column 15: expected one JSON object a line");
        assertFault("[1]", ":1: expected a JSON object, got [1]");
        assertFault(
                "\n\n{}",
                ":3: expected prompt and completion, messages, text, or instruction and output (with or without input), got no fields");
        assertFault("{\"prompt\": \"a\", \"answer\": 1}", "got the fields prompt, answer");
        assertFault("{\"text\": 3}", ":1: text: expected a text, got 3");
        assertFault("{\"prompt\": \"a\", \"completion\": [1]}", "completion: expected a text, got [1]");
        assertFault("{\"prompt\": [], \"completion\": []}", "prompt: expected a list of messages");
        assertFault("{\"messages\": \"x\"}", "messages: expected a list of messages");
        assertFault("{\"messages\": [{\"content\": \"x\"}]}", "messages: expected messages with a role");
        assertFault("{\"messages\": [{\"role\": \"user\", \"content\": null}]}", "messages: expected text content");
        assertFault(
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"image\": 1}]}]}",
                "messages: expected text content");
        assertFault("{\"text\": \"\\ud83d\"}", "text: expected Unicode, got an escape of half a surrogate pair");
    }

    @Test
    void bytesThatAreNotUtf8AreNamed() throws IOException {
        Path file = folder.resolve("data.jsonl");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes("{\"text\": \"a\"}\n{\"text\": \"".getBytes(StandardCharsets.UTF_8));
        bytes.write(0xff);
        bytes.writeBytes("\"}\n".getBytes(StandardCharsets.UTF_8));
        Files.write(file, bytes.toByteArray());
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + ":2: not UTF-8 at byte 11 of the line");
    }

    @Test
    void nothingToReadIsInvalidInput() throws IOException {
        assertThatThrownBy(() -> rows(write("\n \n")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no rows");
        assertThatThrownBy(() -> rows(folder.resolve("absent.jsonl")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("absent.jsonl: no such file");
        assertThatThrownBy(() -> rows(folder)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> Examples.of(List.of()).forEach(row -> {})).isInstanceOf(InvalidInputException.class);
    }

    @Test
    void damagedFilesNeverFailOtherwise() throws IOException {
        byte[] whole =
                ("{\"prompt\": \"p é\", \"completion\": \"c\"}\n{\"messages\": [{\"role\": \"user\", \"content\": \"u\"}]}\n"
                                + "{\"text\": \"t\\u00e9\"}\n{\"instruction\": \"i\", \"output\": \"o\"}\n")
                        .getBytes(StandardCharsets.UTF_8);
        Random random = new Random(11);
        for (int round = 0; round < 200; round++) {
            byte[] damaged = round % 4 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length + 1)) : whole.clone();
            for (int flips = random.nextInt(4); flips > 0 && damaged.length > 0; flips--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Path file = folder.resolve(round % 5 == 0 ? "fuzz.jsonl.gz" : "fuzz.jsonl");
            Files.write(file, damaged);
            try {
                rows(file);
            } catch (HoldfastException e) {
                assertThat(e).hasMessageStartingWith(file.toString());
            }
        }
    }

    @Test
    void deepNestingIsAFaultNotAnOverflow() throws IOException {
        assertFault("{\"text\": " + "[".repeat(100_000), ":1: not JSON");
    }

    @Test
    void realRowsAreRead() {
        List<Row> rows = rows(Golden.igsm());
        assertThat(rows).hasSize(40);
        assertThat(rows).allSatisfy(row -> assertThat(row.example()).isInstanceOf(Example.PromptCompletion.class));
    }

    private void assertFault(String content, String message) throws IOException {
        Path file = write(content);
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + ":")
                .hasMessageContaining(message);
    }

    private List<Example> read(String content) throws IOException {
        return rows(write(content)).stream().map(Row::example).toList();
    }

    private Path write(String content) throws IOException {
        return Files.writeString(folder.resolve("data.jsonl"), content);
    }

    private static List<Row> rows(Path file) {
        List<Row> rows = new ArrayList<>();
        Examples.jsonLines(file).forEach(rows::add);
        return rows;
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream stream = new GZIPOutputStream(bytes)) {
            stream.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }
}
