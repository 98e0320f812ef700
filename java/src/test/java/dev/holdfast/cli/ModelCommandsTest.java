package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.data.Message;
import dev.holdfast.error.HoldfastException;
import dev.holdfast.error.MalformedFileException;
import dev.holdfast.testing.TinyModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that package, generate and score, on a tiny model. */
class ModelCommandsTest {
    @TempDir
    static Path directory;

    private static TinyModel tiny;

    private final ByteArrayOutputStream results = new ByteArrayOutputStream();
    private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

    @BeforeAll
    static void makeModel() {
        tiny = new TinyModel("llama", directory);
    }

    private int run(String... arguments) {
        results.reset();
        messages.reset();
        Console console = new Console(print(results), print(messages), OptionalInt.empty(), false);
        return new Cli(console).run(arguments);
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private String result() {
        return results.toString(StandardCharsets.UTF_8);
    }

    private String said() {
        return messages.toString(StandardCharsets.UTF_8);
    }

    private int generate(String... flags) {
        String[] arguments = {"generate", "--model", tiny.packaged().toString(), "--threads", "1"};
        String[] all = Arrays.copyOf(arguments, arguments.length + flags.length);
        System.arraycopy(flags, 0, all, arguments.length, flags.length);
        return run(all);
    }

    @Test
    void packageMakesAFolderThatGenerateTakes() throws IOException {
        Path out = directory.resolve("packaged");
        assertThat(run("package", "--run", tiny.artifact().toString(), "--out", out.toString()))
                .isEqualTo(ExitCode.OK);
        assertThat(result()).isEmpty();
        assertThat(said()).contains("package 100 % of the weights").contains("holdfast generate --model " + out);
        assertThat(run("generate", "--model", out.toString(), "--prompt", "w5 w6", "--max-new-tokens", "3"))
                .isEqualTo(ExitCode.OK);
        assertThat(result().strip().split(" ")).hasSize(3);
    }

    @Test
    void theObjectHoldsWhatTheStreamShows() throws IOException {
        assertThat(generate("--prompt", "w5 w17 w23 w8", "--max_new_tokens", "4"))
                .isEqualTo(ExitCode.OK);
        String shown = result();
        assertThat(generate("--prompt", "w5 w17 w23 w8", "--max_new_tokens", "4", "--json"))
                .isEqualTo(ExitCode.OK);
        JsonNode object = new ObjectMapper().readTree(result());
        assertThat(object.get("text").asText() + "\n").isEqualTo(shown.replace("\r", ""));
        assertThat(object.get("prompt_ids").toString()).isEqualTo("[5,17,23,8]");
        assertThat(object.get("generated_ids")).hasSize(4);
        assertThat(object.get("tokens_per_second").asDouble()).isPositive();
    }

    @Test
    void aConversationComesFromTextOrFile() throws IOException {
        Path file =
                Files.writeString(directory.resolve("chat.json"), "[{\"role\": \"user\", \"content\": \"w10 w11\"}]");
        assertThat(generate("--chat", "w10 w11", "--max_new_tokens", "2", "--json"))
                .isEqualTo(ExitCode.OK);
        JsonNode said = new ObjectMapper().readTree(result());
        assertThat(generate("--messages", file.toString(), "--max_new_tokens", "2", "--json"))
                .isEqualTo(ExitCode.OK);
        JsonNode read = new ObjectMapper().readTree(result());
        assertThat(read.get("prompt_ids")).isEqualTo(said.get("prompt_ids"));
        assertThat(read.get("generated_ids")).isEqualTo(said.get("generated_ids"));
    }

    @Test
    void aModelWithoutAChatTemplateIsAskedByAPrompt() throws IOException {
        Path out = directory.resolve("without-template");
        run("package", "--run", tiny.artifact().toString(), "--out", out.toString());
        Files.deleteIfExists(out.resolve("chat_template.jinja"));
        Files.writeString(out.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
        assertThat(run("generate", "--model", out.toString(), "--chat", "w5")).isEqualTo(ExitCode.FAILURE);
        assertThat(said())
                .isEqualTo("error: " + out + ": the model has no chat template to put messages into words;"
                        + " give it the whole text as a prompt (--prompt)\n");
    }

    @Test
    void aFullContextIsTold() {
        assertThat(generate("--prompt", "w5 ".repeat(60), "--max_new_tokens", "30"))
                .isEqualTo(ExitCode.OK);
        assertThat(said()).contains("stopped: the model's context of 64 tokens is full, the prompt included\n");
        assertThat(generate("--prompt", "w5 ".repeat(60), "--max_new_tokens", "2"))
                .isEqualTo(ExitCode.OK);
        assertThat(said()).doesNotContain("stopped");
    }

    @Test
    void wrongFlagsAreWrongUsage() {
        assertThat(generate()).isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("--prompt, --chat and --messages, got none");
        assertThat(generate("--prompt", "w5", "--chat", "w5")).isEqualTo(ExitCode.USAGE);
        assertThat(generate("--prompt", "w5", "--top-p", "1.5")).isEqualTo(ExitCode.USAGE);
        assertThat(said()).contains("--top_p: expected more than 0 and at most 1, got 1.5");
        assertThat(generate("--prompt", "w5", "--temperature", "warm")).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void allWrongFlagsOfGenerateAreToldAtOnce() {
        assertThat(generate(
                        "--temperature", "warm", "--top_k", "-1", "--top_p", "0", "--temperatur", "3", "--threads=-1"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(said().lines())
                .containsExactlyInAnyOrder(
                        "error: --temperature: expected a number, got \"warm\"",
                        "error: --temperatur: unknown flag; did you mean --temperature?",
                        "error: expected exactly one of --prompt, --chat and --messages, got none",
                        "error: --top_k: expected 0 or more, got -1",
                        "error: --top_p: expected more than 0 and at most 1, got 0.0",
                        "error: --threads: expected 0 or more, got -1",
                        "Try: holdfast generate --help");
        assertThat(generate("--prompt")).isEqualTo(ExitCode.USAGE);
        assertThat(said().lines())
                .containsExactly("error: --prompt: expected TEXT, got nothing", "Try: holdfast generate --help");
    }

    @Test
    void badInputIsOneLine() {
        for (String[] flags : new String[][] {
            {"--prompt", ""},
            {"--chat", ""},
            {"--messages", directory.resolve("none.json").toString()},
            {"--prompt", "w5 ".repeat(64)}
        }) {
            assertThat(generate(flags)).isEqualTo(ExitCode.FAILURE);
            assertThat(said().strip().lines()).hasSize(1).allMatch(line -> line.startsWith("error: "));
            assertThat(result()).isEmpty();
        }
        assertThat(run("generate", "--model", tiny.artifact().toString(), "--prompt", "w5"))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).contains("package it first");
    }

    @Test
    void scoreWritesALineForEachRow() throws IOException {
        Path data = Files.writeString(
                directory.resolve("rows.jsonl"), "{\"prompt\": \"w5 w6\", \"completion\": \" w7\"}\n");
        Path out = directory.resolve("scores.jsonl");
        int[] tokens = new int[2];
        for (boolean eos : new boolean[] {true, false}) {
            assertThat(run(
                            "score",
                            "--model",
                            tiny.artifact().toString(),
                            "--data",
                            data.toString(),
                            "--out",
                            out.toString(),
                            "--append-eos",
                            Boolean.toString(eos)))
                    .isEqualTo(ExitCode.OK);
            tokens[eos ? 0 : 1] = new ObjectMapper()
                    .readTree(Files.readString(out))
                    .get("tokens")
                    .asInt();
        }
        assertThat(tokens).containsExactly(2, 1);
        assertThat(said()).contains("1 rows, 1 response tokens");
    }

    @Test
    void aRowCutToNoResponseTokenIsCountedAndCostsNothing() throws IOException {
        Path data = Files.writeString(
                directory.resolve("cut.jsonl"),
                "{\"prompt\": \"" + "w5 ".repeat(70) + "\", \"completion\": \" w7\"}\n");
        Path out = directory.resolve("cut-scores.jsonl");
        String[] score = {"score", "--model", tiny.artifact().toString(), "--out", out.toString(), "--data"};
        String[] all = Arrays.copyOf(score, score.length + 1);
        all[score.length] = data.toString();
        assertThat(run(all)).isEqualTo(ExitCode.OK);
        assertThat(Files.readString(out))
                .isEqualTo("{\"index\":0,\"tokens\":0,\"logprob_sum\":0.0,\"token_logprobs\":[]}\n");
        assertThat(said())
                .contains("1 row is without a response token within 64 tokens: 0 tokens and an empty list in the file")
                .contains("1 rows, 0 response tokens, nothing to score")
                .doesNotContain("-0.0");
    }

    @Test
    void scoreRefusesMalformedRowsBeforeAnyWork() throws IOException {
        Path data = Files.writeString(directory.resolve("bad.jsonl"), "{\"text\": \"w5 w6\"}\nnot JSON\n");
        Path out = directory.resolve("bad-scores.jsonl");
        assertThat(run(
                        "score",
                        "--model",
                        tiny.artifact().toString(),
                        "--data",
                        data.toString(),
                        "--out",
                        out.toString()))
                .isEqualTo(ExitCode.FAILURE);
        assertThat(said()).contains("bad.jsonl:2");
        assertThat(out).doesNotExist();
    }

    @Test
    void conversationsAreReadFromAListOrAnObject() throws IOException {
        Path file = directory.resolve("conversation.json");
        Files.writeString(
                file,
                "{\"messages\": [{\"role\": \"system\", \"content\": \"é\"}, {\"role\": \"user\", \"content\": \"\"}]}");
        assertThat(MessagesFile.read(file)).containsExactly(new Message("system", "é"), new Message("user", ""));
        for (String wrong :
                List.of("", "7", "[]", "{}", "[{\"role\": \"user\"}]", "[{\"role\": \"user\", \"content\": 3}]", "[")) {
            Files.writeString(file, wrong);
            assertThatThrownBy(() -> MessagesFile.read(file)).isInstanceOf(MalformedFileException.class);
        }
    }

    @Test
    void damagedConversationsAreReadOrRefusedButNeverCrash() throws IOException {
        byte[] whole =
                "[{\"role\": \"user\", \"content\": \"w10 \\u00e9\"}, {\"role\": \"assistant\", \"content\": \"w3\"}]"
                        .getBytes(StandardCharsets.UTF_8);
        Path file = directory.resolve("damaged.json");
        Random random = new Random(20261122);
        for (int round = 0; round < 300; round++) {
            byte[] damaged = Arrays.copyOf(whole, round % 3 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int hit = 0; damaged.length > 0 && hit < 1 + round % 4; hit++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, damaged);
            try {
                assertThat(MessagesFile.read(file)).isNotEmpty();
            } catch (HoldfastException expected) {
                assertThat(expected).hasMessageContaining("damaged.json");
            }
        }
    }
}
